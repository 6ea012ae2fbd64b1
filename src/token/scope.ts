/** One declared right: `ACTION[,ACTION…] [on RESOURCE]`. */
export interface Scope {
  readonly actions: readonly string[];
  /** Verbatim; `undefined` when the line has no ` on `. */
  readonly resource?: string;
  /** 1-based line in the input. */
  readonly line: number;
}

/** A mistake in the `scopes` input, with its place. Line and column are 1-based. */
export interface ScopeMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** What `parseScopes` found; `scopes` is meant only when `mistakes` is empty. */
export interface ParsedScopes {
  readonly scopes: readonly Scope[];
  readonly mistakes: readonly ScopeMistake[];
}

/** The canonical text of a scope, as it stands in logs and records. */
export function formatScope(scope: { readonly actions: readonly string[]; readonly resource?: string }): string {
  const actions = scope.actions.map((action) => (/[,\s']|^#/.test(action) ? `'${action}'` : action)).join(',');
  return scope.resource === undefined ? actions : `${actions} on ${scope.resource}`;
}

/**
 * Reads the scope grammar. Blank lines and lines that start with `#` are skipped; the first ` on ` outside quotes
 * splits, the rest of the line is the resource, verbatim. All mistakes are returned together.
 */
export function parseScopes(text: string): ParsedScopes {
  const scopes: Scope[] = [];
  const mistakes: ScopeMistake[] = [];
  text.split(/\r\n|\n|\r/).forEach((raw, index) => {
    const trimmed = raw.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return;
    const offset = raw.length - raw.trimStart().length;
    const line = index + 1;
    const result = parseLine(trimmed, line, offset);
    if ('message' in result) mistakes.push(result);
    else scopes.push(result);
  });
  if (scopes.length === 0 && mistakes.length === 0) {
    mistakes.push({ line: 1, column: 1, message: 'expected at least one scope, such as "read on logs", found none' });
  }
  return { scopes, mistakes };
}

function parseLine(text: string, line: number, offset: number): Scope | ScopeMistake {
  const mistake = (at: number, message: string): ScopeMistake => ({ line, column: offset + at + 1, message });
  const unprintable = text.search(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
  if (unprintable >= 0) return mistake(unprintable, 'expected printable characters, found an invisible one');
  const actions: string[] = [];
  let at = 0;
  for (;;) {
    const action = readAction(text, at);
    if (typeof action === 'string') return mistake(at, action);
    if (actions.includes(action.name)) return mistake(at, `the action "${action.name}" stands twice`);
    actions.push(action.name);
    at = action.end;
    if (text[at] !== ',') break;
    at += 1;
  }
  if (at === text.length) return { actions, line };
  if (!text.startsWith(' on ', at)) {
    const expected =
      text[at] === ' ' && text.trim().endsWith(' on') ? 'a resource after " on "' : '"," or " on RESOURCE"';
    return mistake(at, `expected ${expected}, found "${text.slice(at, at + 20)}"`);
  }
  const resource = text.slice(at + 4);
  if (resource.trim() === '') return mistake(at + 4, 'expected a resource after " on "');
  if (resource !== resource.trim()) return mistake(at + 4, 'expected one blank before the resource, found more');
  return { actions, resource, line };
}

function readAction(text: string, start: number): { name: string; end: number } | string {
  if (text[start] === "'") {
    const close = text.indexOf("'", start + 1);
    if (close < 0) return "expected a closing ' for this action";
    if (close === start + 1) return "expected an action between the quotes, found ''";
    return { name: text.slice(start + 1, close), end: close + 1 };
  }
  const match = /^[^\s,']+/.exec(text.slice(start));
  if (!match)
    return start >= text.length
      ? 'expected an action, found the end of the line'
      : `expected an action, found "${text[start]}"`;
  return { name: match[0], end: start + match[0].length };
}
