/** Which npm packages a bundle holds, read from esbuild's account of its inputs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** An npm package of which at least one byte is in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression as the package states it; empty when it states none. */
  readonly license: string;
  /** Who the manifest names as author; empty when it names nobody. */
  readonly author: string;
  /** Its folder, relative to the root. */
  readonly folder: string;
}

/** The packages of all the bundles, by name, then version, then folder. */
export function bundledPackages(root: string, metafiles: readonly Metafile[]): readonly BundledPackage[] {
  const folders = new Set<string>();
  for (const metafile of metafiles) {
    for (const output of Object.values(metafile.outputs)) {
      for (const [path, input] of Object.entries(output.inputs)) {
        const folder = packageFolder(path);
        if (folder !== undefined && input.bytesInOutput > 0) {
          folders.add(folder);
        }
      }
    }
  }
  return [...folders].map((folder) => describePackage(root, folder)).sort(byNameAndVersion);
}

/** Names of which the bundles hold more than one copy, each with its copies: `semver: 5.7.2 in …, 7.7.0 in …`. */
export function duplicateCopies(packages: readonly BundledPackage[]): readonly string[] {
  const copies = new Map<string, string[]>();
  for (const one of packages) {
    copies.set(one.name, [...(copies.get(one.name) ?? []), `${one.version} in ${one.folder}`]);
  }
  return [...copies].filter(([, places]) => places.length > 1).map(([name, places]) => `${name}: ${places.join(', ')}`);
}

/** The text of a package's licence and notice files, joined; undefined when it ships none. */
export function licenceFiles(root: string, one: BundledPackage): string | undefined {
  const files = readdirSync(join(root, one.folder)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  const texts = files.sort().map((name) => readFileSync(join(root, one.folder, name), 'utf8').trim());
  return texts.length > 0 ? texts.join('\n\n').replaceAll('\r\n', '\n') : undefined;
}

/** The package's folder that a path lies in (`node_modules/a/node_modules/@b/c`); undefined outside of packages. */
export function packageFolder(inputPath: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(inputPath)?.[0];
}

function describePackage(root: string, folder: string): BundledPackage {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const { author } = manifest;
  return {
    name: text(manifest.name),
    version: text(manifest.version),
    license: text(manifest.license),
    author: typeof author === 'object' && author !== null && 'name' in author ? text(author.name) : text(author),
    folder,
  };
}

function byNameAndVersion(left: BundledPackage, right: BundledPackage): number {
  const key = (one: BundledPackage): string => `${one.name}\0${one.version}\0${one.folder}`;
  return key(left) < key(right) ? -1 : 1;
}
