import { escapeJsonString, escapeUriData } from './secret-masker.ts';
import type { KnownSecret } from './secret-registry.ts';

/** A secret found where it must not be. Never holds the secret itself. */
export interface Leak {
  /** The place, such as `log line 12` or `file _work/_temp/a.json`. */
  readonly where: string;
  /** What kind of secret, such as `registryToken`. */
  readonly kind: string;
  /** How it stood there: `raw`, `base64`, `urlEncoded`, `jsonEscaped`, `part`. */
  readonly form: string;
}

/** Shorter values are too likely to occur by chance. */
export const shortestSearchedSecret = 6;

// A part of a secret counts only when it is long enough to be one.
const shortestPart = 20;

/**
 * The characters of a base64 text that depend on the secret alone, for each of the three places at which it may start
 * in what was encoded: so a `Basic` header with any user name is found too.
 */
function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const cores = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const head = shift === 0 ? 0 : shift + 1;
    const tail = (bytes.length + shift) % 3 === 0 ? text.length : text.length - 1;
    return text.slice(head, tail);
  });
  return cores.filter((core) => core.length >= shortestSearchedSecret);
}

/** What authenticates on its own: the signature of a JWT, the `sig` of a shared access signature. */
function parts(value: string): string[] {
  const found: string[] = [];
  const jwt = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(value);
  if (jwt?.[1] !== undefined) {
    found.push(jwt[1]);
  }
  const signature = /(?:^|[?&])sig=([^&]+)/.exec(value)?.[1];
  if (signature !== undefined) {
    found.push(signature, new URLSearchParams(`sig=${signature}`).get('sig') ?? signature);
  }
  return found.filter((part) => part.length >= shortestPart);
}

function formsOf(value: string): [form: string, text: string][] {
  const base64 = base64Cores(value).flatMap((core) => [core, core.replaceAll('+', '-').replaceAll('/', '_')]);
  const candidates: [string, string][] = [
    ['raw', value],
    ['urlEncoded', escapeUriData(value)],
    ['jsonEscaped', escapeJsonString(value)],
    ...base64.map((text): [string, string] => ['base64', text]),
    ...parts(value).map((text): [string, string] => ['part', text]),
  ];
  const seen = new Set<string>();
  return candidates.filter(([, text]) => !seen.has(text) && seen.add(text) !== undefined);
}

/** Looks for a set of secrets in texts and bytes. */
export class LeakSearch {
  readonly #needles: { kind: string; form: string; text: string; bytes: Buffer }[] = [];

  /** Secrets of fewer than {@link shortestSearchedSecret} characters are not looked for. */
  constructor(secrets: readonly KnownSecret[]) {
    const seen = new Set<string>();
    for (const { kind, value } of secrets) {
      if (value.length < shortestSearchedSecret || seen.has(value)) {
        continue;
      }
      seen.add(value);
      for (const [form, text] of formsOf(value)) {
        this.#needles.push({ kind, form, text, bytes: Buffer.from(text, 'utf8') });
      }
    }
  }

  /** Leaks of one place, each kind and form once. */
  find(where: string, content: string | Buffer): Leak[] {
    const leaks = new Map<string, Leak>();
    for (const { kind, form, text, bytes } of this.#needles) {
      const found = typeof content === 'string' ? content.includes(text) : content.includes(bytes);
      if (found && !leaks.has(`${kind} ${form}`)) {
        leaks.set(`${kind} ${form}`, { where, kind, form });
      }
    }
    return [...leaks.values()];
  }
}
