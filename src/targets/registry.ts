import type { Target } from './target.ts';

/** A target's entry: its name in YAML, its label in the pick list, and how it is loaded when it is chosen. */
export interface TargetEntry {
  readonly name: string;
  readonly label: string;
  readonly load: () => Promise<Target>;
}

/** All targets. The pick list in task.json and the table in the README are made from it. */
export const targets: readonly TargetEntry[] = [
  { name: 'storage', label: 'Azure Storage (blobs)', load: async () => (await import('./storage/index.ts')).storage },
  {
    name: 'containerRegistry',
    label: 'Azure Container Registry',
    load: async () => (await import('./container-registry/index.ts')).containerRegistry,
  },
];

/** Name and label of every target, for the pick list. */
export const targetNames = targets.map(({ name, label }) => ({ name, label }));
