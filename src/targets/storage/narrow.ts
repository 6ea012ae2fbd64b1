import { BlobServiceClient, type UserDelegationKey } from '@azure/storage-blob';
import { ScopedTokenError } from '../../errors.ts';

import { azureStorageHttpClient, type StorageExchange } from '../../io/azure-storage-http-client.ts';
import { serverTime } from '../../io/io.ts';
import type { Credential } from '../../token/credential.ts';
import type { NarrowedToken } from '../../token/narrowed-token.ts';
import { Secret } from '../../token/secret.ts';
import type { NarrowContext } from '../target.ts';
import { hierarchyFailure, keyFailure } from './failures.ts';
import type { StorageAccount } from './index.ts';
import { rightsLine, type StorageRights } from './scopes.ts';
import { type SignatureFields, signedQuery } from './signature.ts';

/** Starts a little early, so that a service whose clock is behind accepts the signature at once. */
const earlySeconds = 300;

/** One signature. */
export interface SignatureRequest {
  readonly account: StorageAccount;
  readonly rights: StorageRights;
  readonly lifetimeSeconds: number;
  readonly credential: Credential;
  readonly context: NarrowContext;
}

/**
 * Gets a user delegation key and signs with it (Microsoft, "Get User Delegation Key", "Create a user delegation SAS").
 * The signature ends at the earliest of the asked lifetime and the key's expiry. The key stays in this function.
 */
export async function narrowToSignature(request: SignatureRequest): Promise<NarrowedToken> {
  const { account, rights, context } = request;
  // Whole seconds: the service knows no fractions.
  const now = Math.floor(serverTime(context.io) / 1000) * 1000;
  const startsOn = new Date(now - earlySeconds * 1000);
  const asked = new Date(now + request.lifetimeSeconds * 1000);
  const { key, ids } = await delegationKey(request, startsOn, asked);
  context.mask(new Secret(key.value));
  const expiresOn = key.signedExpiresOn < asked ? key.signedExpiresOn : asked;
  if (expiresOn.getTime() <= now) throw lapsedKey(request, key);
  const fields: SignatureFields = {
    accountName: account.name,
    rights,
    startsOn,
    expiresOn,
    correlationId: context.correlationId,
  };
  const query = await signedQuery(fields, key);
  const signature = new URLSearchParams(query).get('sig') ?? '';
  const maskAlso = [new Secret(signature), new Secret(encodeURIComponent(signature))];
  const value = new Secret(query);
  for (const secret of [value, ...maskAlso]) context.mask(secret);
  if (rights.resource.kind === 'directory') await requireHierarchy(request, value);
  return {
    value,
    maskAlso,
    granted: [rightsLine(rights)],
    missing: [],
    excess: [],
    enforcement: 'issuer',
    proof: 'constructed',
    notChecked: ['whether the identity itself holds these rights: the service checks that at every use'],
    expiresOn,
    ids: { ...ids, scid: context.correlationId },
    warnings:
      expiresOn < asked
        ? [
            `The delegation key ends at ${key.signedExpiresOn.toISOString()}, earlier than asked; so does the signature.`,
          ]
        : [],
  };
}

async function delegationKey(
  request: SignatureRequest,
  startsOn: Date,
  expiresOn: Date,
): Promise<{ key: UserDelegationKey; ids: Record<string, string> }> {
  const { account, credential, context } = request;
  const seen: StorageExchange = {};
  const httpClient = azureStorageHttpClient(
    context.io.http,
    { peer: 'Azure Storage', allowedHosts: [account.blobHost], clientRequestId: context.correlationId },
    seen,
  );
  const tokenCredential = {
    getToken: async () => ({ token: credential.token.reveal(), expiresOnTimestamp: credential.expiresOn.getTime() }),
  };
  const service = new BlobServiceClient(`https://${account.blobHost}`, tokenCredential, {
    httpClient,
    retryOptions: { maxTries: 1 },
  });
  try {
    const key = await service.getUserDelegationKey(startsOn, expiresOn);
    if (!isComplete(key)) throw keyFailure(account, seen.response, credential);
    const requestId = seen.response?.headers['x-ms-request-id'];
    return { key, ids: requestId ? { 'x-ms-request-id': requestId } : {} };
  } catch (cause) {
    if (seen.failure) throw seen.failure;
    if (cause instanceof ScopedTokenError) throw cause;
    throw keyFailure(account, seen.response, credential, cause);
  }
}

/** A key that lacks a field would make a signature that the service refuses. */
function isComplete(key: UserDelegationKey): boolean {
  const texts = [key.value, key.signedObjectId, key.signedTenantId, key.signedService, key.signedVersion];
  const dates = [key.signedStartsOn, key.signedExpiresOn];
  return texts.every(Boolean) && dates.every((date) => date instanceof Date && !Number.isNaN(date.getTime()));
}

function lapsedKey(request: SignatureRequest, key: UserDelegationKey): ScopedTokenError {
  return new ScopedTokenError('TARGET_BAD_ANSWER', {
    happened: `Azure Storage gave a delegation key for ${request.account.name} that has ended already (${key.signedExpiresOn.toISOString()}).`,
    why: 'The clocks of the agent and of Azure Storage are far apart, or the answer was an old one.',
    next: 'Set the agent’s clock (NTP) and run again.',
  });
}

/**
 * A directory's signature means nothing on a flat account. The account is asked with the signature itself
 * (Microsoft, "Get Account Information", which takes a signature), so that this needs no further right.
 */
async function requireHierarchy(request: SignatureRequest, value: Secret): Promise<void> {
  const { account, rights, context } = request;
  const path = `${rights.resource.container}/${rights.resource.path}`.split('/').map(encodeURIComponent).join('/');
  const response = await context.io.http.send({
    peer: 'Azure Storage',
    method: 'GET',
    url: `https://${account.blobHost}/${path}?restype=account&comp=properties&${value.reveal()}`,
    allowedHosts: [account.blobHost],
    headers: { 'x-ms-version': '2022-11-02', 'x-ms-client-request-id': context.correlationId },
  });
  if (response.status === 200 && response.headers['x-ms-is-hns-enabled'] === 'true') return;
  throw hierarchyFailure(account, response);
}
