/** `Uri.EscapeDataString`: everything but letters, digits and `-_.~`. */
export function escapeUriData(value: string): string {
  const wellFormed = Buffer.from(value, 'utf8').toString('utf8');
  return encodeURIComponent(wellFormed).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A JSON string without its quotes, as Newtonsoft writes it. */
export function escapeJsonString(value: string): string {
  return JSON.stringify(value)
    .slice(1, -1)
    .replace(/[\u0085\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The agent's encoder of the misleading name BackslashEscape: it takes backslashes away. */
export function unescapeBackslashes(value: string): string {
  return value.replaceAll('\\\\', '\\').replaceAll("\\'", "'").replaceAll('\\"', '"').replaceAll('\\t', '\t');
}

// The password of `scheme://user:password@`; `%AZP25` stands for an escaped percent sign.
const urlPassword = /(?<=\/\/[^:/?#\n]+:)(?:[\w.~-]|%(?:AZP25)?[0-9a-fA-F]{2}|[!$&'()*+,;=]|:)+(?=@)/g;

const mask = '***';

interface Span {
  readonly start: number;
  readonly end: number;
}

function merge(spans: Span[]): Span[] {
  spans.sort((left, right) => left.start - right.start || left.end - right.end);
  const merged: Span[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last !== undefined && span.start <= last.end) {
      // Overlapping and adjacent hits become one `***`, so that lengths are not told.
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    } else {
      merged.push(span);
    }
  }
  return merged;
}

/** The agent's default masker: plain substrings of any length, three encoders, and the URL password pattern. */
export class SecretMasker {
  readonly #values = new Set<string>();

  /** Registers a value that a command or a connection brought, with its three encodings. No base64. */
  addValue(value: string): void {
    if (value === '') {
      return;
    }
    for (const form of [value, escapeJsonString(value), escapeUriData(value), unescapeBackslashes(value)]) {
      if (form !== '') {
        this.#values.add(form);
      }
    }
  }

  /** Registers a secret variable of the job message: also base64, escaped for debug lines, trimmed, unquoted. */
  addJobSecret(value: string): void {
    if (value.trim() === '') {
      return;
    }
    const lines = (text: string) => text.replaceAll('\r', '%0D').replaceAll('\n', '%0A');
    const base64 = Buffer.from(value, 'utf8').toString('base64');
    for (const form of [value, base64]) {
      this.#addTrimmed(form);
      this.#addTrimmed(lines(form.replaceAll('%', '%AZP25')));
      this.#addTrimmed(lines(form));
    }
  }

  #addTrimmed(value: string): void {
    this.addValue(value);
    for (const quote of ["'", '"']) {
      if (value.startsWith(quote) && value.endsWith(quote)) {
        this.addValue(value.replace(new RegExp(`^${quote}+|${quote}+$`, 'g'), ''));
      }
    }
    this.addValue(value.replace(/^[\r\n ]+|[\r\n ]+$/g, ''));
  }

  /** The text with every hit replaced by `***`. */
  mask(text: string): string {
    const spans: Span[] = [];
    for (const value of this.#values) {
      let at = text.indexOf(value);
      while (at >= 0) {
        spans.push({ start: at, end: at + value.length });
        at = text.indexOf(value, at + 1);
      }
    }
    for (const hit of text.matchAll(urlPassword)) {
      spans.push({ start: hit.index, end: hit.index + hit[0].length });
    }
    let masked = '';
    let from = 0;
    for (const span of merge(spans)) {
      masked += text.slice(from, span.start) + mask;
      from = span.end;
    }
    return masked + text.slice(from);
  }
}
