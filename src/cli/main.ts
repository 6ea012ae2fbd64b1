import { runAsProcess } from '../io/command-world.ts';
import { runCommand } from './run-command.ts';

await runAsProcess(runCommand);
