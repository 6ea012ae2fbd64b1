import { formatScope, type Scope } from '../../token/scope.ts';

/** Actions on a repository: the Docker token scope grammar, and Azure Container Registry's own metadata actions. */
const repositoryActions = ['pull', 'push', 'delete', 'metadata_read', 'metadata_write'];

// One path component of a repository's name (OCI distribution specification 1.1, "Pulling manifests").
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryName = new RegExp(`^${component}(?:/${component})*$`);

/** Rights on one repository. */
export interface RepositoryRights {
  readonly repository: string;
  readonly actions: readonly string[];
}

/** Reads the scopes of the target `containerRegistry`: lines for the same repository are joined. */
export function readRepositories(scopes: readonly Scope[]): {
  rights: readonly RepositoryRights[];
  mistakes: readonly string[];
} {
  const mistakes: string[] = [];
  const byName = new Map<string, Set<string>>();
  for (const scope of scopes) {
    const pasted = nativeSyntax(scope);
    if (pasted) {
      mistakes.push(`line ${scope.line}: this is the registry's own syntax; write "${pasted}"`);
      continue;
    }
    if (scope.resource === undefined) {
      mistakes.push(`line ${scope.line}: expected a repository, such as "${scope.actions.join(',')} on team/app"`);
      continue;
    }
    if (!repositoryName.test(scope.resource) || scope.resource.length > 255) {
      mistakes.push(
        `line ${scope.line}: "${scope.resource}" is not a repository name (lower case, without tag, digest or registry host)`,
      );
    }
    for (const action of scope.actions.filter((name) => !repositoryActions.includes(name))) {
      mistakes.push(`line ${scope.line}: "${action}" is none of ${repositoryActions.join(', ')}`);
    }
    const actions = byName.get(scope.resource) ?? new Set();
    for (const action of scope.actions) actions.add(action);
    byName.set(scope.resource, actions);
  }
  return { rights: [...byName].map(([repository, actions]) => ({ repository, actions: [...actions] })), mistakes };
}

/** Rights as lines of the scope grammar. */
export function rightsLines(rights: readonly RepositoryRights[]): string[] {
  return rights
    .filter((right) => right.actions.length > 0)
    .map((right) => formatScope({ actions: right.actions, resource: right.repository }));
}

/** What `left` has and `right` has not. */
export function subtractRights(
  left: readonly RepositoryRights[],
  right: readonly RepositoryRights[],
): RepositoryRights[] {
  return left
    .map(({ repository, actions }) => {
      const others = right.filter((entry) => entry.repository === repository).flatMap((entry) => entry.actions);
      return { repository, actions: actions.filter((action) => !others.includes(action)) };
    })
    .filter(({ actions }) => actions.length > 0);
}

/** `pull on team/app` for a pasted `repository:team/app:pull`; `undefined` for anything else. */
function nativeSyntax(scope: Scope): string | undefined {
  const text = scope.actions.join(',');
  const match = /^repository:([^:]+):(.+)$/.exec(text);
  return match && scope.resource === undefined ? `${match[2]} on ${match[1]}` : undefined;
}
