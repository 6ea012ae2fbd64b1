import { isAllowedHost } from '../../io/http.ts';
import type { Target, TargetPlan, TargetRequest } from '../target.ts';
import { narrowToRepositories } from './narrow.ts';
import { readRepositories, rightsLines } from './scopes.ts';

/** Azure Container Registry: an access token for the declared repositories and actions. */
export const containerRegistry: Target = {
  plan(request) {
    const host = registryHost(request.resource);
    const mistakes: string[] = [];
    if (!host || !isAllowedHost(host, request.cloud.registrySuffixes)) {
      const expected = request.cloud.registrySuffixes.map((suffix) => `NAME${suffix}`).join(', ');
      mistakes.push(
        `resource: "${request.resource}" is not the host of a registry in ${request.cloud.name}; expected ${expected}`,
      );
    }
    const { rights, mistakes: scopeMistakes } = readRepositories(request.scopes);
    mistakes.push(...scopeMistakes.map((mistake) => `scopes, ${mistake}`));
    if (mistakes.length > 0 || !host) return { mistakes };
    return planOf(host, rights, request);
  },
};

function planOf(host: string, rights: Parameters<typeof rightsLines>[0], request: TargetRequest): TargetPlan {
  const [first] = rights;
  const verb = first?.actions.includes('push') ? 'push' : 'pull';
  return {
    resource: host,
    asked: rightsLines(rights),
    audience: request.cloud.registryAudience,
    narrow: (credential, context) =>
      narrowToRepositories({ host, rights, lifetimeSeconds: request.lifetimeSeconds, credential, context }),
    usage: (variable) => [
      // On Windows `script:` is another shell.
      '- bash: |',
      `    printf %s "$REGISTRY_TOKEN" | docker login ${host} --username 00000000-0000-0000-0000-000000000000 --password-stdin`,
      `    docker ${verb} ${host}/${first?.repository ?? 'REPOSITORY'}:TAG`,
      // It leaves the token in the agent user's docker configuration.
      `    docker logout ${host}`,
      '  env:',
      `    REGISTRY_TOKEN: $(${variable})`,
    ],
  };
}

/** Host of `contoso.azurecr.io` or `https://contoso.azurecr.io/`; `undefined` for anything that is more than a host. */
function registryHost(resource: string): string | undefined {
  const match = /^(?:https:\/\/)?([a-z0-9.-]+)\/?$/i.exec(resource);
  return match?.[1]?.toLowerCase();
}
