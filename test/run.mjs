// `npm test`: everything that has to hold before a change goes in. The last line is `N passed, N failed`.
import { register } from 'tsx/esm/api';

register();
const { runChecks } = await import('./run-checks.ts');
process.exitCode = await runChecks();
