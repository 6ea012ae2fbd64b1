/** The stages that a task can have a handler for. */
export type TaskStage = 'pre' | 'main' | 'post';

export interface TaskInput {
  readonly name: string;
  readonly type: string;
  readonly aliases: readonly string[];
  readonly defaultValue: string;
  readonly required: boolean;
  readonly visibleRule: string;
}

/** What a task.json or a step's `target:` allows. All that apply must allow. */
export interface Restrictions {
  readonly restricted: boolean;
  /** Patterns; `undefined` allows all. */
  readonly settableVariables?: readonly string[];
}

export interface TaskHandler {
  /** Such as `Node20_1`. */
  readonly kind: string;
  readonly target: string;
  readonly workingDirectory?: string;
}

/** What the agent reads of a task.json. */
export interface TaskDefinition {
  readonly id: string;
  readonly name: string;
  readonly friendlyName: string;
  readonly description: string;
  readonly author: string;
  readonly help: string;
  /** `major.minor.patch`. */
  readonly version: string;
  readonly major: number;
  readonly inputs: readonly TaskInput[];
  readonly outputVariables: readonly string[];
  readonly restrictions: Restrictions;
  readonly instanceNameFormat: string;
  readonly handlers: Readonly<Record<TaskStage, readonly TaskHandler[] | undefined>>;
}

// Lower wins (TaskManager.cs). Only the Node handlers run here.
const nodeHandlers = ['Node24', 'Node20_1', 'Node16', 'Node10', 'Node'];
const stageKeys: Readonly<Record<TaskStage, string>> = {
  pre: 'prejobexecution',
  main: 'execution',
  post: 'postjobexecution',
};

type Json = Readonly<Record<string, unknown>>;

function asMap(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? `${value}` : '';
}

function asTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(asText) : [];
}

function readInput(value: unknown): TaskInput {
  const input = asMap(value);
  return {
    name: asText(input['name']),
    type: asText(input['type']),
    aliases: asTexts(input['aliases']),
    defaultValue: asText(input['defaultValue']),
    required: input['required'] === true,
    visibleRule: asText(input['visibleRule']),
  };
}

function readHandlers(root: Json, stage: TaskStage): readonly TaskHandler[] | undefined {
  const execution = root[stageKeys[stage]];
  if (execution === undefined) {
    return undefined;
  }
  return Object.entries(asMap(execution)).map(([kind, value]) => {
    const workingDirectory = asText(asMap(value)['workingDirectory']);
    return { kind, target: asText(asMap(value)['target']), ...(workingDirectory === '' ? {} : { workingDirectory }) };
  });
}

function readRestrictions(value: unknown): Restrictions {
  const restrictions = asMap(value);
  const settable = restrictions['settableVariables'];
  return {
    restricted: asText(asMap(restrictions['commands'])['mode']).toLowerCase() === 'restricted',
    ...(settable === undefined ? {} : { settableVariables: asTexts(asMap(settable)['allowed']) }),
  };
}

/** Reads the text of a task.json. Throws on JSON that does not parse. */
export function parseTaskDefinition(text: string): TaskDefinition {
  const root = asMap(JSON.parse(text.replace(/^\uFEFF/, '')));
  const version = asMap(root['version']);
  const major = Number(version['Major'] ?? 0);
  return {
    id: asText(root['id']).toLowerCase(),
    name: asText(root['name']),
    friendlyName: asText(root['friendlyName']),
    description: asText(root['description']),
    author: asText(root['author']),
    help: asText(root['helpUrl']) || asText(root['helpMarkDown']),
    version: `${major}.${asText(version['Minor'])}.${asText(version['Patch'])}`,
    major,
    inputs: (Array.isArray(root['inputs']) ? root['inputs'] : []).map(readInput),
    outputVariables: (Array.isArray(root['outputVariables']) ? root['outputVariables'] : []).map((item) =>
      asText(asMap(item)['name']),
    ),
    restrictions: readRestrictions(root['restrictions']),
    instanceNameFormat: asText(root['instanceNameFormat']),
    handlers: {
      pre: readHandlers(root, 'pre'),
      main: readHandlers(root, 'main'),
      post: readHandlers(root, 'post'),
    },
  };
}

/** The handler that the agent prefers on Linux; `undefined` where none of the stage's runs on Node. */
export function chooseHandler(definition: TaskDefinition, stage: TaskStage): TaskHandler | undefined {
  const handlers = definition.handlers[stage] ?? [];
  for (const kind of nodeHandlers) {
    const found = handlers.find((handler) => handler.kind.toLowerCase() === kind.toLowerCase());
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}
