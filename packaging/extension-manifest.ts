/** vss-extension.json: what is committed, and what a copy of the extension ships. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { extensionIdOf, isPublishedCopy, nameSuffixOf, type Variant } from './variant.ts';

/** One contribution to Azure DevOps. */
export interface Contribution {
  readonly id: string;
  readonly type: string;
  readonly targets: readonly string[];
  readonly properties: { readonly name: string };
}

/** One entry of the package: a file or a folder. */
export interface PackagedFile {
  readonly path: string;
  readonly packagePath?: string;
  readonly addressable?: boolean;
  readonly contentType?: string;
}

/** vss-extension.json, as far as this build and its tests read it. */
export interface ExtensionManifest {
  readonly id: string;
  readonly publisher: string;
  readonly version: string;
  readonly name: string;
  readonly description: string;
  readonly public: boolean;
  readonly categories: readonly string[];
  readonly icons: Readonly<Record<string, string>>;
  readonly content: Readonly<Record<string, { readonly path: string }>>;
  readonly files: readonly PackagedFile[];
  readonly contributions: readonly Contribution[];
  readonly [key: string]: unknown;
}

/** The committed manifest. */
export function readExtensionManifest(root: string): ExtensionManifest {
  return JSON.parse(readFileSync(join(root, 'vss-extension.json'), 'utf8')) as ExtensionManifest;
}

/** The version of package.json, which the manifest repeats. */
export function packageVersion(root: string): string {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  return manifest.version;
}

/**
 * The manifest as this copy ships it. Only the published copy may be public: a second public copy would confuse.
 * @param modules paths of the staged `.mjs` files. tfx would ask the machine's `file` command what they are, and tell
 * the Marketplace whatever that guesses, so their type is stated.
 */
export function manifestOf(
  manifest: ExtensionManifest,
  variant: Variant,
  version: string,
  modules: readonly string[],
): ExtensionManifest {
  return {
    ...manifest,
    version,
    id: extensionIdOf(variant),
    publisher: variant.publisher,
    name: `${manifest.name}${nameSuffixOf(variant)}`,
    public: manifest.public && isPublishedCopy(variant),
    files: [...manifest.files, ...modules.map((path) => ({ path, contentType: 'text/javascript' }))],
  };
}
