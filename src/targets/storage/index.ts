import { isAllowedHost } from '../../io/http.ts';
import type { Target, TargetPlan, TargetRequest } from '../target.ts';
import { readStorageRights, rightsLine, type StorageRights } from './scopes.ts';

/** A user delegation key lives seven days at most. */
const longestSeconds = 7 * 24 * 3600;

/** Azure Storage: a user delegation shared access signature for one container, directory or blob. */
export const storage: Target = {
  plan(request) {
    const mistakes: string[] = [];
    const account = readAccount(request);
    if (!account) {
      const expected = request.cloud.storageSuffixes.map((suffix) => `https://ACCOUNT${suffix}`).join(', ');
      mistakes.push(
        `resource: "${request.resource}" is not the URL of a storage account in ${request.cloud.name}; expected ${expected}`,
      );
    }
    const { rights, mistakes: scopeMistakes } = readStorageRights(request.scopes);
    mistakes.push(...scopeMistakes.map((mistake) => `scopes, ${mistake}`));
    if (request.lifetimeSeconds > longestSeconds)
      mistakes.push('lifetimeMinutes: a storage signature lives 10080 minutes (7 days) at most');
    if (mistakes.length > 0 || !account || !rights) return { mistakes };
    return planOf(account, rights, request);
  },
};

/** A storage account's name and the host of its blob endpoint. */
export interface StorageAccount {
  readonly name: string;
  readonly blobHost: string;
}

function planOf(account: StorageAccount, rights: StorageRights, request: TargetRequest): TargetPlan {
  return {
    resource: `https://${account.blobHost}`,
    asked: [rightsLine(rights)],
    audience: request.cloud.storageAudience,
    narrow: async (credential, context) => {
      const { narrowToSignature } = await import('./narrow.ts');
      return narrowToSignature({ account, rights, lifetimeSeconds: request.lifetimeSeconds, credential, context });
    },
    usage: (variable) => [
      // On Windows `script:` is another shell.
      '- bash: |',
      `    printf 'url = "%s?%s"\\n' '${exampleAddress(account, rights)}' "$STORAGE_SAS" | curl --fail --silent --show-error --config -`,
      '  env:',
      `    STORAGE_SAS: $(${variable})`,
    ],
  };
}

/** Address of the blob, or of one named BLOB in the container or directory. Nothing in it means anything to a shell. */
function exampleAddress(account: StorageAccount, rights: StorageRights): string {
  const { kind, container, path } = rights.resource;
  const segments = [container, ...(path === '' ? [] : path.split('/')), ...(kind === 'blob' ? [] : ['BLOB'])];
  const encoded = segments.map((segment) => encodeURIComponent(segment).replaceAll("'", '%27'));
  return `https://${account.blobHost}/${encoded.join('/')}`;
}

function readAccount(request: TargetRequest): StorageAccount | undefined {
  const match = /^(?:https:\/\/)?([a-z0-9.-]+)\/?$/i.exec(request.resource);
  const host = match?.[1]?.toLowerCase();
  if (!host || !isAllowedHost(host, request.cloud.storageSuffixes)) return undefined;
  const [name = ''] = host.split('.');
  if (!/^[a-z0-9]{3,24}$/.test(name)) return undefined;
  return { name, blobHost: host.replace(/^([a-z0-9]+)\.dfs\./, '$1.blob.') };
}
