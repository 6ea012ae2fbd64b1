import type { CommandWorld } from '../io/command-world.ts';

/** Exit statuses: all is well; the answer is no; the question could not be asked. */
export const exitStatus = { good: 0, bad: 1, unusable: 2 } as const;

/** One command of the tool. */
export interface Command {
  /** The words that name it, such as `ledger verify`. */
  readonly name: string;
  /** What it does, one line. */
  readonly purpose: string;
  /** All of its usage text, with exit statuses; ends with a line feed. */
  readonly usage: string;
  /**
   * Runs it on the words after its name.
   *
   * @returns an exit status.
   * @throws UsageError when the words make no sense.
   */
  run(words: readonly string[], world: CommandWorld): Promise<number>;
}

/** The words of a command make no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Options and other words of a command line. */
export interface Words {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
}

/**
 * Sorts words into flags (`--json`), options with a value (`--head HEX`, `--head=HEX`) and the rest; after `--` all is
 * rest. `-` alone is no option.
 *
 * @throws UsageError for an unknown option, a missing or unwanted value, and an option that stands twice.
 */
export function sortWords(
  words: readonly string[],
  known: { readonly flags: readonly string[]; readonly values: readonly string[] },
): Words {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const rest: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') return { flags, values, rest: [...rest, ...queue] };
    if (!word.startsWith('-') || word === '-') {
      rest.push(word);
      continue;
    }
    const [, name = word, given] = /^(--[^=]*)=(.*)$/s.exec(word) ?? [];
    if (flags.has(name) || values.has(name)) throw new UsageError(`${name} stands twice`);
    if (known.flags.includes(name) && given === undefined) flags.add(name);
    else if (known.values.includes(name)) values.set(name, wantedValue(name, given ?? queue.shift()));
    else throw new UsageError(known.flags.includes(name) ? `${name} takes no value` : `unknown option ${name}`);
  }
  return { flags, values, rest };
}

function wantedValue(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError(`${name} needs a value`);
  return value;
}
