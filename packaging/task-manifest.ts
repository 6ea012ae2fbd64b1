/** task.json: what is committed, and what a copy of the extension ships. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { extensionIdOf, nameSuffixOf, taskIdOf, type Variant } from './variant.ts';

/** A task's version; the agent keeps a task by it and takes equal versions for equal content. */
export interface TaskVersion {
  readonly Major: number;
  readonly Minor: number;
  readonly Patch: number;
}

/** One input of task.json, as far as this build reads it. */
export interface TaskInput {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** One handler: the file that the agent gives to Node. */
export interface TaskHandler {
  readonly target: string;
}

/** task.json, as far as this build reads it; everything else goes through unchanged. */
export interface TaskManifest {
  readonly id: string;
  readonly name: string;
  readonly friendlyName: string;
  readonly helpUrl: string;
  readonly version: TaskVersion;
  readonly inputs: readonly TaskInput[];
  readonly prejobexecution: Readonly<Record<string, TaskHandler>>;
  readonly execution: Readonly<Record<string, TaskHandler>>;
  readonly postjobexecution: Readonly<Record<string, TaskHandler>>;
  readonly [key: string]: unknown;
}

/** A target as the pick list shows it. */
export interface TargetName {
  readonly name: string;
  readonly label: string;
}

/** Names of the tasks: the folders of `tasks` that hold a task.json. */
export function taskNames(root: string): readonly string[] {
  const folders = readdirSync(join(root, 'tasks')).sort();
  return folders.filter((name) => existsSync(join(root, 'tasks', name, 'task.json')));
}

/** The committed task.json of a task. */
export function readTaskManifest(root: string, taskName: string): TaskManifest {
  return JSON.parse(readFileSync(join(root, 'tasks', taskName, 'task.json'), 'utf8')) as TaskManifest;
}

/** `1.0.0`. */
export function versionText(version: TaskVersion): string {
  return `${version.Major}.${version.Minor}.${version.Patch}`;
}

/** The targets that the product has, from its registry. */
export async function readTargetNames(root: string): Promise<readonly TargetName[]> {
  const registry: unknown = await import(pathToFileURL(join(root, 'src', 'targets', 'registry.ts')).href);
  return (registry as { readonly targetNames: readonly TargetName[] }).targetNames;
}

/** The manifest with the pick list `target` made from the registry; a task without that input stays as it is. */
export function withTargets(manifest: TaskManifest, targets: readonly TargetName[]): TaskManifest {
  const options = Object.fromEntries(targets.map(({ name, label }) => [name, label]));
  const inputs = manifest.inputs.map((input) => (input.name === 'target' ? { ...input, options } : input));
  return { ...manifest, inputs };
}

/**
 * The text of a committed task.json with its pick list `target` made from the registry, and every other byte as it was.
 * @throws Error when the text has no such pick list
 */
export function textWithTargets(text: string, targets: readonly TargetName[]): string {
  const pickList = /("name": "target",[^[\]]*?"options": )\{[^}]*\}/;
  if (!pickList.test(text)) {
    throw new Error('task.json has no input "target" with options');
  }
  const lines = targets.map(({ name, label }) => `        ${JSON.stringify(name)}: ${JSON.stringify(label)}`);
  return text.replace(pickList, (_match, head: string) => `${head}{\n${lines.join(',\n')}\n      }`);
}

/** The manifest as a copy of the extension ships it: its own id, name and help page. */
export function withVariant(manifest: TaskManifest, variant: Variant): TaskManifest {
  return {
    ...manifest,
    id: taskIdOf(variant, manifest.id),
    friendlyName: `${manifest.friendlyName}${nameSuffixOf(variant)}`,
    helpUrl: marketplacePage(variant),
  };
}

/** The extension's page on the Marketplace, which follows from publisher and id. */
export function marketplacePage(variant: Variant): string {
  return `https://marketplace.visualstudio.com/items?itemName=${variant.publisher}.${extensionIdOf(variant)}`;
}
