/** What a condition can ask for. */
export interface ConditionContext {
  /** `Agent.JobStatus`: `Succeeded`, `SucceededWithIssues`, `Failed` or `Canceled`. */
  readonly jobStatus: string;
  variable(name: string): string | undefined;
}

type Value = string | number | boolean | null;
type Operands = readonly Value[];

/** A condition that cannot be read; the step that carries it fails. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

const tokenPattern = /\s*(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)*)|([A-Za-z_][\w-]*)|([(),.[\]]))/y;

interface Token {
  readonly kind: 'text' | 'number' | 'word' | 'sign';
  readonly text: string;
}

function tokenize(expression: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(tokenPattern);
  const length = expression.trimEnd().length;
  while (pattern.lastIndex < length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(expression);
    if (match === null) {
      throw new ConditionError(`Unexpected symbol at position ${at + 1} of the condition: ${expression}`);
    }
    const [, text, number, word, sign] = match;
    if (text !== undefined) {
      tokens.push({ kind: 'text', text: text.replaceAll("''", "'") });
    } else if (number !== undefined) {
      tokens.push({ kind: 'number', text: number });
    } else if (word !== undefined) {
      tokens.push({ kind: 'word', text: word });
    } else {
      tokens.push({ kind: 'sign', text: sign ?? '' });
    }
  }
  return tokens;
}

function asText(value: Value): string {
  if (value === null) {
    return '';
  }
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}

function asBoolean(value: Value): boolean {
  return typeof value === 'string' ? value !== '' : value !== null && value !== false && value !== 0;
}

/** Compares after casting the right side to the type of the left one; `undefined` where the cast fails. */
function compare(left: Value, right: Value): number | undefined {
  if (typeof left === 'number') {
    const number = typeof right === 'number' ? right : Number(asText(right).trim() || 'x');
    return Number.isNaN(number) ? undefined : left - number;
  }
  if (typeof left === 'boolean') {
    return Number(left) - Number(asBoolean(right));
  }
  const [one, two] = [asText(left).toUpperCase(), asText(right).toUpperCase()];
  return one === two ? 0 : one < two ? -1 : 1;
}

const equal = (left: Value, right: Value) => compare(left, right) === 0;
const ordered = (operands: Operands, test: (sign: number) => boolean) => {
  const sign = compare(operands[0] ?? null, operands[1] ?? null);
  return sign !== undefined && test(sign);
};
const upper = (operands: Operands, index: number) => asText(operands[index] ?? null).toUpperCase();

const functions: Readonly<Record<string, (operands: Operands) => Value>> = {
  and: (operands) => operands.every(asBoolean),
  or: (operands) => operands.some(asBoolean),
  not: (operands) => !asBoolean(operands[0] ?? null),
  xor: (operands) => asBoolean(operands[0] ?? null) !== asBoolean(operands[1] ?? null),
  eq: (operands) => equal(operands[0] ?? null, operands[1] ?? null),
  ne: (operands) => !equal(operands[0] ?? null, operands[1] ?? null),
  gt: (operands) => ordered(operands, (sign) => sign > 0),
  ge: (operands) => ordered(operands, (sign) => sign >= 0),
  lt: (operands) => ordered(operands, (sign) => sign < 0),
  le: (operands) => ordered(operands, (sign) => sign <= 0),
  in: ([needle, ...rest]) => rest.some((item) => equal(needle ?? null, item)),
  notin: ([needle, ...rest]) => !rest.some((item) => equal(needle ?? null, item)),
  contains: (operands) => upper(operands, 0).includes(upper(operands, 1)),
  startswith: (operands) => upper(operands, 0).startsWith(upper(operands, 1)),
  endswith: (operands) => upper(operands, 0).endsWith(upper(operands, 1)),
  coalesce: (operands) => operands.find((item) => item !== null && item !== '') ?? null,
  lower: (operands) => asText(operands[0] ?? null).toLowerCase(),
  upper: (operands) => asText(operands[0] ?? null).toUpperCase(),
};

const statuses: Readonly<Record<string, readonly string[] | 'any'>> = {
  always: 'any',
  succeeded: ['Succeeded', 'SucceededWithIssues'],
  failed: ['Failed'],
  canceled: ['Canceled'],
  succeededorfailed: ['Succeeded', 'SucceededWithIssues', 'Failed'],
};

class Parser {
  readonly #tokens: Token[];
  readonly #context: ConditionContext;
  readonly #expression: string;
  #at = 0;

  constructor(expression: string, context: ConditionContext) {
    this.#expression = expression;
    this.#tokens = tokenize(expression);
    this.#context = context;
  }

  whole(): boolean {
    const value = this.#value();
    if (this.#at < this.#tokens.length) {
      this.#fail(`unexpected '${this.#tokens[this.#at]?.text}'`);
    }
    return asBoolean(value);
  }

  #fail(what: string): never {
    throw new ConditionError(`The condition cannot be read (${what}): ${this.#expression}`);
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return token ?? this.#fail('it ends too early');
  }

  #isSign(text: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === 'sign' && token.text === text;
  }

  #expect(text: string): void {
    const token = this.#next();
    if (token.kind !== 'sign' || token.text !== text) {
      this.#fail(`'${text}' was expected instead of '${token.text}'`);
    }
  }

  #value(): Value {
    const token = this.#next();
    if (token.kind === 'text') {
      return token.text;
    }
    if (token.kind === 'number') {
      const number = Number(token.text);
      return Number.isNaN(number) ? token.text : number;
    }
    if (token.kind === 'sign') {
      this.#fail(`unexpected '${token.text}'`);
    }
    const name = token.text.toLowerCase();
    if (name === 'true' || name === 'false') {
      return name === 'true';
    }
    return name === 'variables' ? this.#variable() : this.#call(token.text);
  }

  #variable(): Value {
    if (this.#isSign('.')) {
      this.#at += 1;
      return this.#context.variable(this.#next().text) ?? null;
    }
    this.#expect('[');
    const name = asText(this.#value());
    this.#expect(']');
    return this.#context.variable(name) ?? null;
  }

  #call(name: string): Value {
    this.#expect('(');
    const operands: Value[] = [];
    while (!this.#isSign(')')) {
      if (operands.length > 0) {
        this.#expect(',');
      }
      operands.push(this.#value());
    }
    this.#expect(')');
    const wanted = statuses[name.toLowerCase()];
    if (wanted !== undefined) {
      return wanted === 'any' || wanted.includes(this.#context.jobStatus);
    }
    const found = functions[name.toLowerCase()];
    return found === undefined ? this.#fail(`unknown function '${name}'`) : found(operands);
  }
}

/**
 * Evaluates a step's condition: status functions, comparisons, `variables['name']` and `variables.name`.
 * @throws ConditionError where it cannot be read
 */
export function evaluateCondition(expression: string, context: ConditionContext): boolean {
  return new Parser(expression, context).whole();
}
