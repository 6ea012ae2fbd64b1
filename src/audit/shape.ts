import type { Enforcement, Proof } from '../token/narrowed-token.ts';
import type {
  AuditRecord,
  IssuerFacts,
  Outcome,
  RecordDraft,
  RecordEvent,
  TokenFacts,
  What,
  Where,
  Who,
} from './record.ts';

/**
 * What may stand in a field. `text` is foreign text, which is scrubbed before it is written; `word` and `time` have a
 * closed form that no secret fits into, and are refused when they do not have it.
 */
type Kind =
  | { readonly kind: 'text' | 'texts' | 'textMap' | 'time' | 'hash' | 'code' }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'number'; readonly minimum?: number; readonly whole?: boolean }
  | { readonly kind: 'object'; readonly fields: Fields };

/** One field of an object. */
interface Field<Optional extends boolean = boolean> {
  readonly optional: Optional;
  readonly type: Kind;
}

type Fields = Readonly<Record<string, Field>>;

/** A table that names every field of `T`, with the optionality of `T`; the compiler refuses one that does not. */
type FieldsOf<T> = { readonly [K in keyof T]-?: Field<Partial<Pick<T, K>> extends Pick<T, K> ? true : false> };

const must = (type: Kind): Field<false> => ({ optional: false, type });
const may = (type: Kind): Field<true> => ({ optional: true, type });

const text: Kind = { kind: 'text' };
const texts: Kind = { kind: 'texts' };
const time: Kind = { kind: 'time' };
const hash: Kind = { kind: 'hash' };
const count: Kind = { kind: 'number', minimum: 1, whole: true };
const span: Kind = { kind: 'number', minimum: 0 };
const words = (table: Readonly<Record<string, true>>): Kind => ({ kind: 'word', words: Object.keys(table) });
const object = (fields: Fields): Kind => ({ kind: 'object', fields });

const events = {
  intent: true,
  issued: true,
  failed: true,
  cancelled: true,
  revoked: true,
  revokeFailed: true,
  expired: true,
  notRevocable: true,
} satisfies Record<RecordEvent, true>;
const enforcements = { issuer: true, broker: true, bounded: true, none: true } satisfies Record<Enforcement, true>;
const proofs = { readBack: true, constructed: true, assumed: true } satisfies Record<Proof, true>;

const who = {
  requestedFor: may(text),
  requestedForId: may(text),
  clientId: may(text),
  objectId: may(text),
  tenantId: may(text),
  connectionId: may(text),
  connectionName: may(text),
  source: may(text),
  assertionIssuer: may(text),
  assertionSubject: may(text),
} satisfies FieldsOf<Who>;

const what = {
  target: must(text),
  resource: must(text),
  asked: must(texts),
  granted: may(texts),
  missing: may(texts),
  excess: may(texts),
  enforcement: may(words(enforcements)),
  proof: may(words(proofs)),
  notChecked: may(texts),
  variable: may(text),
  askedLifetimeSeconds: may(span),
} satisfies FieldsOf<What>;

const where = {
  organisation: must(text),
  projectId: must(text),
  planId: must(text),
  jobId: must(text),
  stepId: must(text),
  project: may(text),
  pipeline: may(text),
  pipelineId: may(text),
  pipelineRevision: may(text),
  run: may(text),
  runId: may(text),
  stage: may(text),
  stageAttempt: may(count),
  job: may(text),
  jobAttempt: must(count),
  try: must(count),
  step: may(text),
  agent: may(text),
  agentVersion: may(text),
  repository: may(text),
  branch: may(text),
  commit: may(text),
  fromVariables: may(texts),
} satisfies FieldsOf<Where>;

const outcome = {
  code: must({ kind: 'code' }),
  providerCode: may(text),
  reason: may(text),
} satisfies FieldsOf<Outcome>;

const token = {
  fingerprint: must(text),
  expiresOn: must(time),
  issuedOn: may(time),
  uti: may(text),
} satisfies FieldsOf<TokenFacts>;

const issuer = {
  date: may(time),
  skewSeconds: may({ kind: 'number' }),
  ids: may({ kind: 'textMap' }),
} satisfies FieldsOf<IssuerFacts>;

/** The fields of a draft, in the order in which they are written. */
const draft = {
  event: must(words(events)),
  recordId: must(text),
  intentId: must(text),
  time: must(time),
  monotonicMilliseconds: must(span),
  who: must(object(who)),
  what: must(object(what)),
  where: must(object(where)),
  purpose: may(text),
  outcome: must(object(outcome)),
  token: may(object(token)),
  issuer: may(object(issuer)),
} satisfies FieldsOf<RecordDraft>;

const record = {
  v: must({ kind: 'number', minimum: 1, whole: true }),
  seq: must(count),
  ...draft,
  prev: must(hash),
  hash: must(hash),
} satisfies FieldsOf<AuditRecord>;

const forms = {
  time: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/,
  hash: /^[0-9a-f]{64}$/,
  code: /^[A-Z][A-Z_]{1,63}$/,
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A copy of a draft that holds the known fields only, in their fixed order, every foreign text passed through `scrub`.
 * Fields of a wrong type are kept as they are, so that {@link recordProblems} names them.
 */
export function knownFields(value: RecordDraft, scrub: (text: string) => string): Readonly<Record<string, unknown>> {
  return copyObject(value as unknown as Readonly<Record<string, unknown>>, draft, scrub);
}

function copyObject(value: Readonly<Record<string, unknown>>, fields: Fields, scrub: (text: string) => string) {
  const copy: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (value[name] !== undefined) copy[name] = copyValue(value[name], field.type, scrub);
  }
  return copy;
}

function copyValue(value: unknown, type: Kind, scrub: (text: string) => string): unknown {
  if (type.kind === 'object') return isObject(value) ? copyObject(value, type.fields, scrub) : value;
  if (type.kind === 'textMap' && isObject(value)) {
    // fromEntries, because an assignment to a key `__proto__` would set the prototype instead
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [scrub(name), typeof entry === 'string' ? scrub(entry) : entry]),
    );
  }
  if (type.kind === 'texts' && Array.isArray(value)) {
    return value.map((entry: unknown) => (typeof entry === 'string' ? scrub(entry) : entry));
  }
  return type.kind === 'text' && typeof value === 'string' ? scrub(value) : value;
}

/**
 * What keeps `value` from being a record of version 1, a sentence each; empty when it is one. Unknown fields are let
 * through, and so is an unknown outcome code: a newer writer's record must not be lost to an older reader.
 */
export function recordProblems(value: unknown): string[] {
  const problems: string[] = [];
  if (isObject(value) && value['v'] !== 1) problems.push('v is not 1');
  check(value, object(record), 'the record', problems);
  return problems;
}

function check(value: unknown, type: Kind, path: string, problems: string[]): void {
  if (type.kind === 'object') {
    if (!isObject(value)) problems.push(`${path} is not an object`);
    else checkFields(value, type.fields, path === 'the record' ? '' : `${path}.`, problems);
  } else if (!fits(value, type)) {
    problems.push(`${path} is not ${expectation(type)}`);
  }
}

function checkFields(
  value: Readonly<Record<string, unknown>>,
  fields: Fields,
  prefix: string,
  problems: string[],
): void {
  for (const [name, field] of Object.entries(fields)) {
    const present = Object.hasOwn(value, name);
    if (present) check(value[name], field.type, prefix + name, problems);
    else if (!field.optional) problems.push(`${prefix}${name} is missing`);
  }
}

function fits(value: unknown, type: Exclude<Kind, { kind: 'object' }>): boolean {
  if (type.kind === 'texts') return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
  if (type.kind === 'textMap') {
    return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
  }
  if (type.kind === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value)) return false;
    return value >= (type.minimum ?? Number.NEGATIVE_INFINITY) && (!type.whole || Number.isInteger(value));
  }
  if (typeof value !== 'string') return false;
  if (type.kind === 'word') return type.words.includes(value);
  return type.kind === 'text' || forms[type.kind].test(value);
}

function expectation(type: Exclude<Kind, { kind: 'object' }>): string {
  if (type.kind === 'number') return type.whole ? `a whole number from ${type.minimum ?? 0}` : 'a number in range';
  if (type.kind === 'word') return `one of ${type.words.join(', ')}`;
  const names = {
    text: 'a text',
    texts: 'a list of texts',
    textMap: 'a table of texts',
    time: 'a time in RFC 3339, UTC',
    hash: 'a SHA-256 in hex',
    code: 'a code',
  };
  return names[type.kind];
}
