/**
 * The shape of task.json, written down from the published schema of the task library (`tasks.schema.json`) and narrowed to
 * what this product uses: required fields are required here, and handlers older than Node 20 are refused.
 */

const text = { type: 'string', minLength: 1 };
const identifier = { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9]*$' };
const digits = { type: 'integer', minimum: 0, maximum: 65_535 };

const input = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'type', 'label', 'helpMarkDown'],
  properties: {
    name: identifier,
    aliases: { type: 'array', items: identifier },
    type: { enum: ['boolean', 'multiLine', 'pickList', 'string', 'connectedService:AzureRM'] },
    label: text,
    defaultValue: { type: ['string', 'boolean'] },
    required: { type: 'boolean' },
    groupName: text,
    visibleRule: text,
    helpMarkDown: text,
    options: { type: 'object', minProperties: 1, additionalProperties: text },
    properties: { type: 'object', additionalProperties: { type: 'string' } },
  },
  if: { properties: { type: { const: 'pickList' } } },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['options'] },
};

const handler = {
  type: 'object',
  additionalProperties: false,
  required: ['target'],
  properties: { target: { type: 'string', pattern: '^[a-z]+\\.mjs$' } },
};

// An agent that does not know Node24 takes Node20_1; one that knows neither must not take the task.
const stage = {
  type: 'object',
  additionalProperties: false,
  required: ['Node24', 'Node20_1'],
  properties: { Node24: handler, Node20_1: handler },
};

/** JSON Schema (draft 7) of a task.json. */
export const TASK_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: [
    ...['id', 'name', 'friendlyName', 'description', 'helpMarkDown', 'helpUrl', 'category', 'author', 'version'],
    ...['minimumAgentVersion', 'instanceNameFormat', 'inputs', 'outputVariables'],
    ...['prejobexecution', 'execution', 'postjobexecution'],
  ],
  properties: {
    id: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' },
    name: { type: 'string', pattern: '^[A-Za-z0-9-]+$' },
    friendlyName: { ...text, maxLength: 40 },
    description: text,
    helpMarkDown: text,
    helpUrl: { type: 'string', pattern: '^https://' },
    category: { enum: ['Build', 'Utility', 'Test', 'Package', 'Deploy'] },
    visibility: { type: 'array', items: { enum: ['Build', 'Release'] }, uniqueItems: true },
    runsOn: { type: 'array', items: { enum: ['Agent', 'DeploymentGroup'] }, uniqueItems: true },
    author: text,
    version: {
      type: 'object',
      additionalProperties: false,
      required: ['Major', 'Minor', 'Patch'],
      properties: { Major: digits, Minor: digits, Patch: digits },
    },
    minimumAgentVersion: { type: 'string', pattern: '^\\d+\\.\\d+(\\.\\d+)?$' },
    instanceNameFormat: text,
    groups: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'displayName'],
        properties: { name: identifier, displayName: text, isExpanded: { type: 'boolean' } },
      },
    },
    inputs: { type: 'array', minItems: 1, items: input },
    outputVariables: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'description'],
        properties: { name: identifier, description: text },
      },
    },
    prejobexecution: stage,
    execution: stage,
    postjobexecution: stage,
  },
} as const;
