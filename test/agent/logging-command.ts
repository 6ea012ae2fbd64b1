/** One `##vso[area.event key=value;]data` line, unescaped. */
export interface LoggingCommand {
  readonly area: string;
  readonly event: string;
  /** Property names in lower case, since the agent compares them without case. */
  readonly properties: ReadonlyMap<string, string>;
  readonly data: string;
}

const prefix = '##vso[';

// `%` comes last on the way in and first on the way out: the agent's order, which decides what `%AZP253B` means.
const symbols: readonly (readonly [symbol: string, escaped: string])[] = [
  [';', '%3B'],
  ['\r', '%0D'],
  ['\n', '%0A'],
  [']', '%5D'],
];

/** Undoes the escapes of a property value or of the data; `decodePercents` is the knob DECODE_PERCENTS (default on). */
export function unescapeCommandText(escaped: string, decodePercents: boolean): string {
  let text = escaped;
  for (const [symbol, replacement] of symbols) {
    text = text.replaceAll(replacement, symbol);
  }
  return decodePercents ? text.replaceAll('%AZP25', '%') : text;
}

/** The mirror of {@link unescapeCommandText}. */
export function escapeCommandText(plain: string, decodePercents: boolean): string {
  let text = decodePercents ? plain.replaceAll('%', '%AZP25') : plain;
  for (const [symbol, replacement] of symbols) {
    text = text.replaceAll(symbol, replacement);
  }
  return text;
}

function parseProperties(text: string, decodePercents: boolean): Map<string, string> {
  const properties = new Map<string, string>();
  for (const part of text.split(';')) {
    // An empty name or value drops the whole pair, as do separators in a row.
    const pair = part.replace(/^=+/, '');
    const at = pair.indexOf('=');
    const value = at < 0 ? '' : pair.slice(at).replace(/^=+/, '');
    if (at > 0 && value !== '') {
      properties.set(pair.slice(0, at).toLowerCase(), unescapeCommandText(value, decodePercents));
    }
  }
  return properties;
}

/** Finds a command anywhere in a line; text before it is lost. `undefined` where the line holds none that parses. */
export function parseLoggingCommand(line: string, decodePercents = true): LoggingCommand | undefined {
  const start = line.indexOf(prefix);
  const end = start < 0 ? -1 : line.indexOf(']', start);
  if (end < 0) {
    return undefined;
  }
  const info = line.slice(start + prefix.length, end);
  const space = info.indexOf(' ');
  const names = (space < 0 ? info : info.slice(0, space)).split('.').filter((part) => part !== '');
  const [area, event] = names;
  if (names.length !== 2 || area === undefined || event === undefined) {
    return undefined;
  }
  return {
    area,
    event,
    properties: space > 0 ? parseProperties(info.slice(space + 1), decodePercents) : new Map(),
    data: unescapeCommandText(line.slice(end + 1), decodePercents),
  };
}
