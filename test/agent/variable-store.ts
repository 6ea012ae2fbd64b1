import { expandMacros } from './macros.ts';
import { readOnlyVariableNames } from './read-only-variables.ts';

/** A job variable, or a task variable of one step instance. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
  readonly readOnly: boolean;
  readonly preserveCase: boolean;
  /** Reference name of the step whose command set it. */
  readonly setBy?: string;
}

export interface VariableFlags {
  readonly secret?: boolean;
  readonly readOnly?: boolean;
  readonly preserveCase?: boolean;
  readonly setBy?: string;
}

const maximumDepth = 50;

interface Expansion {
  value: string;
  secret: boolean;
  problem?: string;
}

/** The agent's variable table: names without case, secrets that stay secret, values that refer to each other. */
export class VariableStore {
  readonly #written = new Map<string, Variable>();
  #expanded = new Map<string, Variable>();
  readonly #onSecret: (value: string) => void;
  readonly #exposed: Variable[] = [];

  /** `onSecret` hears every secret value that is set, and every value that became secret by expansion. */
  constructor(onSecret: (value: string) => void) {
    this.#onSecret = onSecret;
  }

  /** Every value that was ever set without the secret flag, also where another value followed it. */
  get exposed(): readonly Variable[] {
    return this.#exposed;
  }

  /** Sets a value; a variable that was secret or read-only stays so. */
  set(name: string, value: string, flags: VariableFlags = {}): void {
    const key = name.toLowerCase();
    const previous = this.#expanded.get(key);
    const variable: Variable = {
      name,
      value,
      secret: (flags.secret ?? false) || (previous?.secret ?? false),
      readOnly: (flags.readOnly ?? false) || (previous?.readOnly ?? false),
      preserveCase: flags.preserveCase ?? false,
      ...(flags.setBy === undefined ? {} : { setBy: flags.setBy }),
    };
    if (variable.secret && value !== '') {
      this.#onSecret(value);
    }
    if (!variable.secret) {
      this.#exposed.push(variable);
    }
    this.#written.set(key, variable);
    this.#expanded.set(key, variable);
  }

  unset(name: string): void {
    this.#written.delete(name.toLowerCase());
    this.#expanded.delete(name.toLowerCase());
  }

  get(name: string): string | undefined {
    return this.#expanded.get(name.toLowerCase())?.value;
  }

  /** Whether a boolean variable is true, as `bool.TryParse` reads it. */
  isTrue(name: string): boolean {
    return this.get(name)?.trim().toLowerCase() === 'true';
  }

  isReadOnly(name: string): boolean {
    const variable = this.#expanded.get(name.toLowerCase());
    return variable !== undefined && (variable.readOnly || readOnlyVariableNames.has(name.toLowerCase()));
  }

  /** Variables without the secret flag, in the order of their first setting. */
  publicVariables(): readonly Variable[] {
    return [...this.#expanded.values()].filter((variable) => !variable.secret);
  }

  secretVariables(): readonly Variable[] {
    return [...this.#expanded.values()].filter((variable) => variable.secret);
  }

  /** Replaces macros of a text once, from public and secret variables. */
  expand(text: string): string {
    return expandMacros(text, (name) => this.get(name));
  }

  /** Expands values that refer to other variables; a value that took in a secret becomes one. Returns warnings. */
  recalculate(): string[] {
    const warnings: string[] = [];
    const expanded = new Map(this.#written);
    for (const [key, variable] of this.#written) {
      const found = this.#resolve(variable, [key]);
      if (found.problem !== undefined) {
        warnings.push(found.problem);
      } else if (found.value !== variable.value) {
        if (found.secret && found.value !== '') {
          this.#onSecret(found.value);
        }
        expanded.set(key, { ...variable, value: found.value, secret: found.secret });
      }
    }
    this.#expanded = expanded;
    return warnings;
  }

  #resolve(variable: Variable, path: readonly string[]): Expansion {
    const result: Expansion = { value: '', secret: variable.secret };
    result.value = expandMacros(variable.value, (name) => {
      const key = name.toLowerCase();
      const nested = this.#written.get(key);
      if (nested === undefined || result.problem !== undefined) {
        return undefined;
      }
      if (path.includes(key)) {
        result.problem = `Unable to expand variable '${path[0]}'. A cyclical reference was detected.`;
        return undefined;
      }
      if (path.length >= maximumDepth) {
        result.problem = `Unable to expand variable '${path[0]}'. The max expansion depth (${maximumDepth}) was exceeded.`;
        return undefined;
      }
      const inner = this.#resolve(nested, [...path, key]);
      result.secret ||= inner.secret;
      if (inner.problem !== undefined) {
        result.problem = inner.problem;
      }
      return inner.value;
    });
    return result;
  }
}
