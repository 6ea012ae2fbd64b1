/** Stages the extension: everything that the package holds, in one folder, ready for tfx. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Metafile } from 'esbuild';
import { bundleTask } from './bundle.ts';
import { type BundledPackage, bundledPackages } from './bundled-packages.ts';
import { manifestOf, packageVersion, readExtensionManifest } from './extension-manifest.ts';
import { thirdPartyNotices } from './notices.ts';
import {
  readTargetNames,
  readTaskManifest,
  taskNames,
  versionText,
  withTargets,
  withVariant,
} from './task-manifest.ts';
import { type BuiltVersion, contentSha256 } from './task-versions.ts';
import type { Variant } from './variant.ts';

/** What to build, and where to. */
export interface BuildOptions {
  /** Folder that holds package.json, tasks and src. */
  readonly root: string;
  /** Receives `extension`, `maps` and `meta`; what they held before is removed. */
  readonly outFolder: string;
  readonly variant: Variant;
}

/** One task of the build. */
export interface BuiltTask extends BuiltVersion {
  readonly id: string;
  /** Names of its ES modules: the stages and what they share. */
  readonly modules: readonly string[];
  readonly metafile: Metafile;
}

/** What a build left behind. */
export interface BuildResult {
  /** Folder for tfx; it holds vss-extension.json and all that it names. */
  readonly stagedFolder: string;
  readonly version: string;
  readonly tasks: readonly BuiltTask[];
  readonly packages: readonly BundledPackage[];
}

/**
 * Builds and stages the extension. Needs no network; two builds of one source write the same bytes.
 * @throws Error when a bundle fails, a dependency's licence is not permissive, or a file is missing
 */
export async function buildExtension(options: BuildOptions): Promise<BuildResult> {
  const { root, outFolder, variant } = options;
  const stagedFolder = join(outFolder, 'extension');
  for (const folder of ['extension', 'maps', 'meta']) {
    rmSync(join(outFolder, folder), { recursive: true, force: true });
  }
  const tasks: BuiltTask[] = [];
  for (const name of taskNames(root)) {
    tasks.push(await stageTask(options, name));
  }
  const metafiles = tasks.map((task) => task.metafile);
  const packages = bundledPackages(root, metafiles);
  const version = packageVersion(root);
  const modules = tasks.flatMap((task) => task.modules.map((file) => `tasks/${task.name}/${file}`));
  const manifest = manifestOf(readExtensionManifest(root), variant, version, modules);
  const copied = {
    'overview.md': 'docs/overview.md',
    'LICENSE.txt': 'LICENSE',
    'images/extension-icon.png': 'images/extension-icon.png',
  };
  for (const [to, from] of Object.entries(copied)) {
    write(join(stagedFolder, to), readFileSync(join(root, from)));
  }
  write(join(stagedFolder, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(root, packages));
  write(join(stagedFolder, 'vss-extension.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return { stagedFolder, version, tasks, packages };
}

async function stageTask({ root, outFolder, variant }: BuildOptions, name: string): Promise<BuiltTask> {
  const committed = withTargets(readTaskManifest(root, name), await readTargetNames(root));
  const manifest = withVariant(committed, variant);
  const bundle = await bundleTask(root, name);
  const files = new Map<string, Uint8Array>(bundle.files);
  files.set('task.json', Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  files.set('icon.png', readFileSync(join(root, 'tasks', name, 'icon.png')));
  // Keeps Node from looking further up the agent's folders for what kind of module a file is.
  files.set('package.json', Buffer.from('{ "type": "module" }\n'));
  for (const [file, bytes] of files) {
    write(join(outFolder, 'extension', 'tasks', name, file), bytes);
  }
  for (const [file, bytes] of bundle.maps) {
    write(join(outFolder, 'maps', name, file), bytes);
  }
  write(join(outFolder, 'meta', `${name}.json`), JSON.stringify(bundle.metafile));
  return {
    name,
    id: manifest.id,
    version: versionText(manifest.version),
    sha256: contentSha256(files),
    modules: [...bundle.files.keys()].sort(),
    metafile: bundle.metafile,
  };
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
