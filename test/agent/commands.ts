import { artifactCommands, buildCommands, telemetryCommands } from './build-commands.ts';
import type { JobState } from './job-state.ts';
import { type LoggingCommand, parseLoggingCommand } from './logging-command.ts';
import { isCommandAllowed } from './restrictions.ts';
import type { StepRecord } from './step-record.ts';
import { taskCommands } from './task-commands.ts';
import { mergeTaskResults } from './task-result.ts';

/** What a command acts on. */
export interface CommandContext {
  readonly job: JobState;
  readonly step: StepRecord;
}

export interface CommandDefinition {
  readonly allowedWhenRestricted: boolean;
  /** Throws what the agent would: the step then fails. */
  run(context: CommandContext, command: LoggingCommand): void;
}

/** The commands of one area, by lower-case event. */
export type CommandArea = Readonly<Record<string, CommandDefinition>>;

interface Extension {
  readonly commands: CommandArea;
  readonly buildOnly: boolean;
}

const extensions: Readonly<Record<string, Extension>> = {
  task: { commands: taskCommands, buildOnly: false },
  build: { commands: buildCommands, buildOnly: true },
  artifact: { commands: artifactCommands, buildOnly: true },
  telemetry: { commands: telemetryCommands, buildOnly: false },
};

/** Whether `DECODE_PERCENTS` is on, which is the default. */
export function decodesPercents(job: JobState): boolean {
  return job.variables.get('DECODE_PERCENTS')?.toLowerCase() !== 'false';
}

function execute(context: CommandContext, command: LoggingCommand, definition: CommandDefinition | undefined): void {
  const { area, event } = command;
  if (definition === undefined) {
    throw new Error(`##vso[${area.toLowerCase()}.${event}] is not a recognized command for ${area} command extension.`);
  }
  if (isCommandAllowed(context.step, definition.allowedWhenRestricted)) {
    definition.run(context, command);
  } else {
    context.step.warning(`##vso[${area}.${event}] is not allowed in this step due to policy restrictions.`);
  }
}

function processCommand(context: CommandContext, line: string, command: LoggingCommand): boolean {
  const { job, step } = context;
  const extension = extensions[command.area.toLowerCase()];
  if (extension === undefined) {
    step.warning(`Cannot find command extension for ##vso[${command.area}.command].`);
    return true;
  }
  if (extension.buildOnly && job.hostType !== 'build') {
    step.error(`${command.area} commands are not supported for ${job.hostType} flow.`);
    step.commandResult = 'Failed';
    return false;
  }
  try {
    execute(context, command, extension.commands[command.event.toLowerCase()]);
  } catch (error) {
    step.error(`Unable to process command '${line}' successfully.`);
    step.error(error instanceof Error ? error.message : String(error));
    step.commandResult = mergeTaskResults(step.commandResult, 'Failed');
  }
  if (job.variables.isTrue('system.debug') && command.event.toLowerCase() !== 'debug') {
    step.output(`##[debug]Processed: ${line}`);
  }
  return true;
}

/** Takes one line of a process's output: runs the command in it, or logs it. */
export function processLine(context: CommandContext, line: string): void {
  const command = parseLoggingCommand(line, decodesPercents(context.job));
  if (command === undefined) {
    if (line.includes('##vso')) {
      context.step.warning(`'${line}' contains logging command keyword '##vso', but it's not a legal command.`);
    }
    context.step.output(line);
  } else if (!processCommand(context, line, command)) {
    context.step.output(line);
  }
}
