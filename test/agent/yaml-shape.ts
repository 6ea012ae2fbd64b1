import { parseDocument } from 'yaml';

/** A YAML mapping whose values were not looked at yet. */
export type YamlMap = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is YamlMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A scalar as Azure Pipelines takes it: text as written, numbers and booleans as text. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return value;
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Parses one YAML document; syntax errors go to `mistakes`. Scalars keep their written form. */
export function readYaml(text: string, mistakes: string[]): unknown {
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true });
  for (const error of document.errors) {
    mistakes.push(error.message);
  }
  return document.errors.length > 0 ? undefined : document.toJS();
}

/** Reads a map of texts; anything else in it is a mistake. */
export function textMap(value: unknown, where: string, mistakes: string[]): Record<string, string> {
  const texts: Record<string, string> = {};
  if (value === undefined || value === '') {
    return texts;
  }
  if (!isMap(value)) {
    mistakes.push(`${where}: expected a map of names and texts`);
    return texts;
  }
  for (const [name, item] of Object.entries(value)) {
    const text = scalarText(item);
    if (text === undefined) {
      mistakes.push(`${where}.${name}: expected a text`);
    } else {
      texts[name] = text;
    }
  }
  return texts;
}

/** Names a mistake for every key that is not among the known ones. */
export function refuseUnknownKeys(map: YamlMap, known: readonly string[], place: [string, string[]]): void {
  const [where, mistakes] = place;
  for (const key of Object.keys(map)) {
    if (!known.includes(key)) {
      mistakes.push(`${where}: unknown key '${key}'; known are ${known.join(', ')}`);
    }
  }
}
