import { type CommandContext, decodesPercents } from './commands.ts';
import { escapeCommandText, type LoggingCommand } from './logging-command.ts';
import { checkSettableVariable } from './restrictions.ts';
import type { VariableFlags, VariableStore } from './variable-store.ts';

function isTrue(text: string | undefined): boolean {
  return text?.trim().toLowerCase() === 'true';
}

function requiredName(command: LoggingCommand): string {
  const name = command.properties.get('variable');
  if (name === undefined) {
    throw new Error(`Required field 'variable' is missing in ##vso[task.${command.event.toLowerCase()}] command.`);
  }
  return name;
}

function checkReadOnly(context: CommandContext, store: VariableStore, name: string): void {
  if (!store.isReadOnly(name)) {
    return;
  }
  const kind = store === context.job.variables ? 'variable' : 'task variable';
  if (context.job.variables.isTrue('agent.readOnlyVariables')) {
    throw new Error(`Overwriting readonly ${kind} '${name}' is not permitted.`);
  }
  // Without that flag the agent warns, and overwrites all the same.
  context.step.warning(`Overwriting readonly ${kind} '${name}'. This behavior will be disabled in the future.`);
}

function checkSingleLine(context: CommandContext, value: string): void {
  const allowed = context.job.variables.isTrue('SYSTEM_UNSAFEALLOWMULTILINESECRET');
  if (value.includes('\n') && !allowed) {
    throw new Error('Secrets cannot contain multiple lines');
  }
}

function readFlags(command: LoggingCommand, setBy: string): Required<VariableFlags> {
  const { properties } = command;
  return {
    secret: isTrue(properties.get('issecret')),
    readOnly: isTrue(properties.get('isreadonly')),
    preserveCase: isTrue(properties.get('preservecase')),
    setBy,
  };
}

/** `task.setvariable`: under its own name, or as `<step>.<name>` where it is an output variable. */
export function setVariable(context: CommandContext, command: LoggingCommand): void {
  const { job, step } = context;
  const name = requiredName(command);
  const flags = readFlags(command, step.identity.name);
  checkReadOnly(context, job.variables, name);
  if (flags.secret) {
    checkSingleLine(context, command.data);
    job.secrets.addMaskedOnly(escapeCommandText(command.data, decodesPercents(job)));
    // Where the variable may not be set, nobody registers the plain value: it would show.
    job.secrets.addUnmasked(`variable ${name}`, command.data);
  }
  if (!checkSettableVariable(step, name)) {
    return;
  }
  const isOutput = isTrue(command.properties.get('isoutput'));
  if (isOutput || step.outputNames.has(name)) {
    step.outputs.set(name, { value: command.data, secret: flags.secret });
    const readOnly = isOutput || flags.readOnly;
    job.variables.set(`${step.identity.name}.${name}`, command.data, { ...flags, readOnly });
  } else {
    job.variables.set(name, command.data, flags);
  }
}

/** `task.settaskvariable`: for the later stages of the same step instance; no restriction applies. */
export function setTaskVariable(context: CommandContext, command: LoggingCommand): void {
  const { step } = context;
  const name = requiredName(command);
  const flags = readFlags(command, step.identity.name);
  checkReadOnly(context, step.taskVariables, name);
  if (flags.secret) {
    checkSingleLine(context, command.data);
  }
  step.taskVariables.set(name, command.data, flags);
}
