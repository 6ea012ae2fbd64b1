import { startTask } from '../start-task.ts';

await startTask(async () => (await import('../../src/steps/acquire-token.ts')).acquireToken);
