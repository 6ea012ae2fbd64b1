import { ScopedTokenError } from '../../errors.ts';
import type { HttpResponse } from '../../io/http.ts';
import { badAnswer, outage, requestIds, shapeOf } from '../../io/unexpected-status.ts';
import type { Credential } from '../../token/credential.ts';
import type { StorageAccount } from './index.ts';

const codeShape = /^[A-Za-z]{1,60}$/;

/** What went wrong with a request for a delegation key. */
export function keyFailure(
  account: StorageAccount,
  response: HttpResponse | undefined,
  credential: Credential,
  cause?: unknown,
): ScopedTokenError {
  if (!response) {
    return new ScopedTokenError(
      'INTERNAL',
      {
        happened: 'The storage library failed before it asked the service.',
        next: 'Run again with system.debug set to true and report the log.',
      },
      { cause },
    );
  }
  const down = outage(`Azure Storage (${account.name})`, response);
  if (down) return down;
  if (response.status === 200)
    return badAnswer(
      'TARGET_BAD_ANSWER',
      `Azure Storage (${account.name})`,
      response,
      'It holds no delegation key. Check what stands between the agent and the account.',
    );
  const code = errorCode(response);
  const provider = { code: code ?? `HTTP ${response.status}`, ids: requestIds(response) };
  const who = `the identity (object id ${credential.identity.objectId ?? 'unknown'}, client id ${credential.identity.clientId})`;
  if (code === 'AuthorizationPermissionMismatch') {
    return new ScopedTokenError('TARGET_DENIED', {
      happened: `The account ${account.name} gives ${who} no delegation key (${response.status}).`,
      why: 'It needs generateUserDelegationKey on the account, and a data role on the container.',
      next: `az role assignment create --assignee-object-id ${credential.identity.objectId ?? 'OBJECT_ID'} --assignee-principal-type ServicePrincipal --role "Storage Blob Delegator" --scope ACCOUNT_RESOURCE_ID, and Storage Blob Data Reader (or Contributor) on the container. It takes some minutes to work.`,
      provider,
    });
  }
  if (response.status === 401 || response.status === 403) {
    return new ScopedTokenError('TARGET_DENIED', {
      happened: `The account ${account.name} refused ${who} (${response.status}${code ? `, ${code}` : ''}).`,
      why: 'A network rule of the account keeps this agent out, or it belongs to another tenant than the connection.',
      next: 'Check the account’s networking (selected networks, private endpoint) and its tenant.',
      provider,
    });
  }
  return new ScopedTokenError('TARGET_REFUSED', {
    happened: `The account ${account.name} refused the request for a delegation key (${shapeOf(response)}).`,
    next: 'Check that the resource input is the URL of a storage account’s blob endpoint.',
    provider,
  });
}

/** The account has no hierarchical namespace, or did not say. */
export function hierarchyFailure(account: StorageAccount, response: HttpResponse): ScopedTokenError {
  const down = outage(`Azure Storage (${account.name})`, response);
  if (down) return down;
  const code = errorCode(response);
  return new ScopedTokenError('TARGET_UNSUITABLE', {
    happened: `A directory (…/**) was declared, and the account ${account.name} does not confirm that it has a hierarchical namespace (status ${response.status}).`,
    why: 'On a flat account a directory is only part of blob names; no signature can be for it.',
    next: 'Declare single blobs, or the container; or use an account with a hierarchical namespace (Data Lake Storage). Nothing was widened and no variable was set.',
    provider: { code: code ?? `HTTP ${response.status}`, ids: requestIds(response) },
  });
}

function errorCode(response: HttpResponse): string | undefined {
  const code = response.headers['x-ms-error-code'] ?? /<Code>([A-Za-z]+)<\/Code>/.exec(response.body)?.[1];
  return code !== undefined && codeShape.test(code) ? code : undefined;
}
