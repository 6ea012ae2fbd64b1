/** npm installs one version of a package in several places when another version stands at the top; a bundle needs it once. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { packageFolder } from './bundled-packages.ts';

/** The part of package-lock.json that says what is installed where. */
interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

/**
 * Leads every import of an installed package to one of its equal copies, the one nearest to the root. Each place that npm
 * chose fits what the package asks for, so any of them will do. Different versions stay apart.
 */
export function oneCopyOfEach(root: string): Plugin {
  const substitutes = equalCopies(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile);
  return {
    name: 'one-copy',
    setup(builder) {
      builder.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...context }) => {
        if (pluginData === 'resolved' || path.startsWith('node:')) {
          return undefined;
        }
        const found = await builder.resolve(path, { ...context, pluginData: 'resolved' });
        const folder = packageFolder(found.path.slice(root.length + 1));
        const substitute = folder === undefined ? undefined : substitutes.get(folder);
        return found.errors.length > 0 || folder === undefined || substitute === undefined
          ? found
          : { ...found, path: join(root, substitute, found.path.slice(root.length + 1 + folder.length)) };
      });
    },
  };
}

/** Folder of a copy to the folder of the copy to take instead; only where the two differ. */
export function equalCopies(lockfile: Lockfile): ReadonlyMap<string, string> {
  const preferred = new Map<string, string>();
  const folders = Object.keys(lockfile.packages).filter((folder) => folder !== '');
  folders.sort((left, right) => left.length - right.length || (left < right ? -1 : 1));
  const substitutes = new Map<string, string>();
  for (const folder of folders) {
    const name = folder.slice(folder.lastIndexOf('node_modules/'));
    const key = `${name}@${lockfile.packages[folder]?.version}`;
    const first = preferred.get(key);
    if (first === undefined) {
      preferred.set(key, folder);
    } else {
      substitutes.set(folder, first);
    }
  }
  return substitutes;
}
