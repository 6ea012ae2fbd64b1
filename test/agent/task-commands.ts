import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type CommandArea, type CommandContext, decodesPercents } from './commands.ts';
import { type LoggingCommand, unescapeCommandText } from './logging-command.ts';
import { checkSettableVariable } from './restrictions.ts';
import { setEndpoint } from './set-endpoint.ts';
import { mergeTaskResults, parseTaskResult } from './task-result.ts';
import { setTaskVariable, setVariable } from './variable-commands.ts';

/** Registers what a command declared secret, and its decoded form where percent signs are not decoded. */
export function registerSecret(context: CommandContext, kind: string, value: string): void {
  if (value === '') {
    return;
  }
  context.job.secrets.addRegistered(kind, value);
  if (!decodesPercents(context.job)) {
    context.job.secrets.addRegistered(kind, unescapeCommandText(value, true));
  }
}

function logIssue({ step }: CommandContext, { properties, data }: LoggingCommand): void {
  const type = properties.get('type');
  if (type === undefined) {
    step.warning("Can't create TaskIssue from logging event.");
    return;
  }
  const kind = type.toLowerCase();
  if (kind !== 'error' && kind !== 'warning') {
    throw new Error(`issue type ${type} is not an expected issue type.`);
  }
  const source = properties.get('sourcepath');
  const of = (name: string) => properties.get(name) ?? '';
  const message =
    source === undefined
      ? data
      : `${source}(${of('linenumber')},${of('columnnumber')}): ${type} ${of('code')}: ${data}`;
  step.addIssue(kind, message, Object.fromEntries(properties));
}

function complete({ step }: CommandContext, { properties, data }: LoggingCommand): void {
  const result = parseTaskResult(properties.get('result') ?? '');
  if (result === undefined) {
    throw new Error("Command doesn't have valid result value.");
  }
  step.result = mergeTaskResults(step.result, result);
  step.progress(100, data);
  if (/^(1|true|\$true)$/i.test(properties.get('done') ?? '')) {
    step.onForceComplete();
  }
}

function setProgress({ step }: CommandContext, { properties, data }: LoggingCommand): void {
  const value = properties.get('value')?.trim() ?? '';
  const percent = /^[+-]?\d+$/.test(value) ? Number(value) : 0;
  step.progress(Math.min(Math.max(percent, 0), 100), data);
}

const guid = /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i;

function logDetail({ step }: CommandContext, { properties, data }: LoggingCommand): void {
  const id = properties.get('id')?.toLowerCase() ?? '';
  if (!guid.test(id) || /^[{}0-]+$/.test(id)) {
    throw new Error("Can't process ##vso[task.logdetail]: the id of the timeline record is missing.");
  }
  const parent = properties.get('parentid')?.toLowerCase();
  if (!step.details.has(id)) {
    if (properties.get('name') === undefined || properties.get('type') === undefined) {
      throw new Error('name and type are required for this new timeline record.');
    }
    if (parent !== undefined && !step.details.has(parent)) {
      throw new Error('Parent timeline record has not been created for this new timeline record.');
    }
    step.details.add(id);
  }
  step.progressTexts.push([properties.get('name'), data].filter(Boolean).join(': '));
}

function attach(
  context: CommandContext,
  names: { type?: string | undefined; name?: string | undefined },
  data: string,
): void {
  const { job, step } = context;
  const { type, name } = names;
  if (type === undefined || type === '') {
    throw new Error("Can't add task attachment, attachment type is not provided.");
  }
  if (name === undefined || name === '') {
    throw new Error("Can't add task attachment, attachment name is not provided.");
  }
  for (const [what, text] of [
    ['Type', type],
    ['Name', name],
  ] as const) {
    if (/[/\0]/.test(text)) {
      throw new Error(`${what} contains invalid characters. (\0, /)`);
    }
    if ([...text].some((sign) => '<>:"|?*\\'.includes(sign) || sign < ' ')) {
      job.defects.push(
        `step ${step.identity.name}: the attachment's ${what.toLowerCase()} is refused on Windows agents`,
      );
    }
  }
  const path = job.paths.toHost(data);
  if (data === '' || !existsSync(path) || !statSync(path).isFile()) {
    throw new Error(
      'Cannot upload task attachment file, attachment file location is not specified or attachment file does not exist on disk.',
    );
  }
  const { recordId, name: stepName, stage } = step.identity;
  job.uploads.add({ step: stepName, stage, recordId, type, name }, path);
}

function attachNamedAfterFile(type: string): (context: CommandContext, command: LoggingCommand) => void {
  return (context, { data }) => {
    if (data === '') {
      throw new Error('Cannot upload file, file location is not specified.');
    }
    attach(context, { type, name: basename(data) }, data);
  };
}

function prependPath({ job, step }: CommandContext, { data }: LoggingCommand): void {
  if (!checkSettableVariable(step, 'PATH')) {
    return;
  }
  if (data === '') {
    throw new Error('prependpath: the folder is missing.');
  }
  const earlier = job.prependPath.indexOf(data);
  if (earlier >= 0) {
    job.prependPath.splice(earlier, 1);
  }
  job.prependPath.push(data);
}

function debug({ job, step }: CommandContext, { data }: LoggingCommand): void {
  if (job.variables.isTrue('system.debug')) {
    step.output(`##[debug]${data}`);
  }
}

const issue = { allowedWhenRestricted: true, run: logIssue };

/** `task.*`, with what restricted mode leaves of it. */
export const taskCommands: CommandArea = {
  issue,
  logissue: issue,
  complete: { allowedWhenRestricted: true, run: complete },
  setprogress: { allowedWhenRestricted: true, run: setProgress },
  logdetail: { allowedWhenRestricted: true, run: logDetail },
  debug: { allowedWhenRestricted: true, run: debug },
  setvariable: { allowedWhenRestricted: true, run: setVariable },
  settaskvariable: { allowedWhenRestricted: true, run: setTaskVariable },
  setsecret: {
    allowedWhenRestricted: true,
    run: (context, { data }) => registerSecret(context, 'setsecret', data),
  },
  prependpath: { allowedWhenRestricted: true, run: prependPath },
  addattachment: {
    allowedWhenRestricted: false,
    run: (context, { properties, data }) =>
      attach(context, { type: properties.get('type'), name: properties.get('name') }, data),
  },
  uploadsummary: { allowedWhenRestricted: false, run: attachNamedAfterFile('Distributedtask.Core.Summary') },
  uploadfile: { allowedWhenRestricted: false, run: attachNamedAfterFile('DistributedTask.Core.FileAttachment') },
  setendpoint: { allowedWhenRestricted: false, run: setEndpoint },
};
