/** What the packaging tests read out of a package. */
import type { PackageFiles } from '../../read-vsix.ts';

/** One file as text. */
export function textOf(files: PackageFiles, path: string): string {
  const content = files.get(path);
  if (content === undefined) {
    throw new Error(`the package has no ${path}; it has ${[...files.keys()].join(', ')}`);
  }
  return content.toString('utf8');
}

/** One file as JSON, taken for what the caller says it is. */
export function jsonOf<T>(files: PackageFiles, path: string): T {
  return JSON.parse(textOf(files, path)) as T;
}

/** One attribute of every element with that name: enough for the two small XML files that tfx writes. */
export function attributes(xml: string, element: string, attribute: string): readonly string[] {
  const elements = xml.match(new RegExp(`<${element}\\s[^>]*>`, 'g')) ?? [];
  return elements.flatMap((text) => new RegExp(`\\s${attribute}="([^"]*)"`).exec(text)?.[1] ?? []);
}

/** Path to content type, as [Content_Types].xml says (ECMA-376 part 2, section 10.1.2.2): an override, else by extension. */
export function contentTypes(files: PackageFiles): (path: string) => string | undefined {
  const xml = textOf(files, '[Content_Types].xml');
  const pairs = (element: string, key: string): ReadonlyMap<string, string> => {
    const keys = attributes(xml, element, key);
    const types = attributes(xml, element, 'ContentType');
    return new Map(keys.map((one, index) => [one, types[index] ?? '']));
  };
  const overrides = pairs('Override', 'PartName');
  const defaults = pairs('Default', 'Extension');
  return (path) => overrides.get(`/${path}`) ?? defaults.get(/\.[^./]+$/.exec(path)?.[0] ?? '');
}
