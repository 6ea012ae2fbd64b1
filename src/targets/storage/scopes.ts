import { formatScope, type Scope } from '../../token/scope.ts';

/** What a shared access signature is for. */
export type StorageKind = 'container' | 'directory' | 'blob';

/** The one resource of a step. */
export interface StorageResource {
  readonly kind: StorageKind;
  readonly container: string;
  /** Blob's name or directory's path, without a slash at either end; empty for a container. */
  readonly path: string;
}

/** Actions by name, with the letter in `sp` and where each may stand (Microsoft, "Create a user delegation SAS"). */
const actionTable: readonly { name: string; letter: string; kinds: readonly StorageKind[] }[] = [
  { name: 'read', letter: 'r', kinds: ['container', 'directory', 'blob'] },
  { name: 'add', letter: 'a', kinds: ['container', 'directory', 'blob'] },
  { name: 'create', letter: 'c', kinds: ['container', 'directory', 'blob'] },
  { name: 'write', letter: 'w', kinds: ['container', 'directory', 'blob'] },
  { name: 'delete', letter: 'd', kinds: ['container', 'directory', 'blob'] },
  { name: 'deleteVersion', letter: 'x', kinds: ['container', 'blob'] },
  { name: 'list', letter: 'l', kinds: ['container', 'directory'] },
  { name: 'tag', letter: 't', kinds: ['container', 'blob'] },
  { name: 'move', letter: 'm', kinds: ['container', 'directory', 'blob'] },
  { name: 'execute', letter: 'e', kinds: ['container', 'directory', 'blob'] },
  { name: 'setImmutabilityPolicy', letter: 'i', kinds: ['container', 'blob'] },
  { name: 'permanentDelete', letter: 'y', kinds: ['container', 'blob'] },
  { name: 'filterByTags', letter: 'f', kinds: ['container'] },
  { name: 'manageOwnership', letter: 'o', kinds: ['directory'] },
  { name: 'manageAccessControl', letter: 'p', kinds: ['directory'] },
];

const containerName = /^(?:\$root|\$web|\$logs|[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62})$/;

/** Rights on the one resource. */
export interface StorageRights {
  readonly resource: StorageResource;
  readonly actions: readonly string[];
}

/** Reads the scopes of the target `storage`; all lines must name the same resource. */
export function readStorageRights(scopes: readonly Scope[]): { rights?: StorageRights; mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const actions = new Set<string>();
  let first: { resource: StorageResource; text: string } | undefined;
  for (const scope of scopes) {
    const at = `line ${scope.line}`;
    const resource = readResource(scope);
    if (typeof resource === 'string') {
      mistakes.push(`${at}: ${resource}`);
      continue;
    }
    const text = resourceText(resource);
    first ??= { resource, text };
    if (text !== first.text)
      mistakes.push(
        `${at}: "${text}" is a second resource besides "${first.text}"; one signature is for one resource, use a second step`,
      );
    mistakes.push(...actionMistakes(scope, resource).map((mistake) => `${at}: ${mistake}`));
    for (const action of scope.actions) actions.add(action);
  }
  return first && mistakes.length === 0
    ? { rights: { resource: first.resource, actions: [...actions] }, mistakes }
    : { mistakes };
}

/** The resource as it stands in a scope. */
export function resourceText(resource: StorageResource): string {
  if (resource.kind === 'container') return resource.container;
  return `${resource.container}/${resource.path}${resource.kind === 'directory' ? '/**' : ''}`;
}

/** Rights as one line of the scope grammar, actions in the table's order. */
export function rightsLine(rights: StorageRights): string {
  return formatScope({ actions: sorted(rights.actions), resource: resourceText(rights.resource) });
}

/** The letters of `sp` for these actions. */
export function lettersOf(actions: readonly string[]): string {
  return actionTable
    .filter((row) => actions.includes(row.name))
    .map((row) => row.letter)
    .join('');
}

function sorted(actions: readonly string[]): string[] {
  return actionTable.map((row) => row.name).filter((name) => actions.includes(name));
}

function readResource(scope: Scope): StorageResource | string {
  if (scope.resource === undefined)
    return `expected a container, directory or blob, such as "${scope.actions.join(',')} on logs"`;
  const [container = '', ...rest] = scope.resource.split('/');
  if (!containerName.test(container)) {
    return `"${container}" is not a container name (3 to 63 lower-case letters, digits and single hyphens)`;
  }
  if (rest.length === 0) return { kind: 'container', container, path: '' };
  const directory = rest.at(-1) === '**';
  const segments = directory ? rest.slice(0, -1) : rest;
  if (directory && segments.length === 0) return `for the whole container write "on ${container}"`;
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    return 'a path may not hold empty segments, "." or ".."; a directory is written with /** at its end';
  if (segments.some((segment) => /[*\\]/.test(segment)))
    return 'a * may only stand as /** at the end, and \\ nowhere in a path';
  const path = segments.join('/');
  if (path.length > 1024) return 'a path has at most 1024 characters';
  return { kind: directory ? 'directory' : 'blob', container, path };
}

function actionMistakes(scope: Scope, resource: StorageResource): string[] {
  const mistakes: string[] = [];
  for (const name of scope.actions) {
    const row = actionTable.find((entry) => entry.name === name);
    if (!row) mistakes.push(unknownAction(name, resource));
    else if (!row.kinds.includes(resource.kind)) mistakes.push(`"${name}" is not possible on a ${resource.kind}`);
  }
  return mistakes;
}

/** Letters such as `rl` are the service's own way to write actions: the message shows the words. */
function unknownAction(name: string, resource: StorageResource): string {
  const possible = actionTable.filter((row) => row.kinds.includes(resource.kind));
  const words = [...new Set(name)].map((letter) => possible.find((row) => row.letter === letter)?.name);
  if (name.length <= possible.length && words.every((word) => word !== undefined)) {
    return `"${name}" is the service's own way to write actions; write "${words.join(',')} on ${resourceText(resource)}"`;
  }
  return `"${name}" is none of ${possible.map((row) => row.name).join(', ')}`;
}
