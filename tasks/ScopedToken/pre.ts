import { startTask } from '../start-task.ts';

await startTask(async () => (await import('../../src/steps/freeze-job.ts')).freezeJob);
