import { startCleanup } from '../start-task.ts';

await startCleanup(async () => (await import('../../src/steps/release-token.ts')).releaseToken);
