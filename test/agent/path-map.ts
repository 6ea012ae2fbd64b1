import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of one agent. */
export interface AgentFolders {
  readonly root: string;
  readonly work: string;
  readonly temp: string;
  readonly tasks: string;
  readonly tools: string;
  /** `Pipeline.Workspace`. */
  readonly job: string;
  readonly sources: string;
  readonly home: string;
}

/** Makes the folders of an agent below one root. */
export function makeFolders(root: string): AgentFolders {
  const work = join(root, '_work');
  const job = join(work, '1');
  const folders: AgentFolders = {
    root,
    work,
    job,
    temp: join(work, '_temp'),
    tasks: join(work, '_tasks'),
    tools: join(work, '_tool'),
    sources: join(job, 's'),
    home: join(root, 'home'),
  };
  for (const folder of [...Object.values(folders), join(job, 'a'), join(job, 'b'), join(job, 'TestResults')]) {
    mkdirSync(folder, { recursive: true });
  }
  return folders;
}

/** How paths of the host look to a step, and back. */
export interface PathMap {
  readonly container: boolean;
  /** Translates a value that starts with a mapped host path. */
  toStep(value: string): string;
  /** Translates a path that a command named. */
  toHost(path: string): string;
}

export const hostPaths: PathMap = { container: false, toStep: (value) => value, toHost: (path) => path };

/**
 * The mounts of a job container: `__w`, `__t` and `__a`. There is no container, so the mounts are links below the
 * agent's root: other paths to the same files, which is what a task notices.
 */
export function containerPaths(folders: AgentFolders): PathMap {
  const mounts = join(folders.root, 'container');
  mkdirSync(mounts);
  const pairs: [host: string, inside: string][] = [
    [folders.tools, join(mounts, '__t')],
    [folders.work, join(mounts, '__w')],
    [folders.root, join(mounts, '__a')],
  ];
  for (const [host, inside] of pairs) {
    symlinkSync(host, inside);
  }
  const translate = (value: string, from: 0 | 1): string => {
    const pair = pairs.find((candidate) => value === candidate[from] || value.startsWith(`${candidate[from]}/`));
    return pair === undefined ? value : `${pair[from === 0 ? 1 : 0]}${value.slice(pair[from].length)}`;
  };
  return {
    container: true,
    // A path inside the container starts with the root as well: it must not be translated twice.
    toStep: (value) => (value.startsWith(`${mounts}/`) ? value : translate(value, 0)),
    toHost: (path) => translate(path, 1),
  };
}
