import {
  BlobSASPermissions,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { lettersOf, type StorageRights } from './scopes.ts';

/** The string to sign changes with it; this one is accepted by the service and by the emulator. */
export const signedVersion = '2022-11-02';

/** What is signed. */
export interface SignatureFields {
  readonly accountName: string;
  readonly rights: StorageRights;
  readonly startsOn: Date;
  readonly expiresOn: Date;
  /** `scid`: stands in the service's own log. */
  readonly correlationId?: string;
}

/** The signature's query, without `?`: https only, letters of the declared actions only. */
export async function signedQuery(fields: SignatureFields, key: UserDelegationKey): Promise<string> {
  const { resource, actions } = fields.rights;
  const letters = lettersOf(actions);
  const always = {
    startsOn: fields.startsOn,
    expiresOn: fields.expiresOn,
    protocol: SASProtocol.Https,
    version: signedVersion,
    ...(fields.correlationId ? { correlationId: fields.correlationId } : {}),
  };
  if (resource.kind === 'directory') {
    const lake = await import('@azure/storage-file-datalake');
    const permissions = lake.DirectorySASPermissions.parse(letters);
    const values = {
      ...always,
      protocol: lake.SASProtocol.Https,
      fileSystemName: resource.container,
      pathName: resource.path,
      isDirectory: true,
      permissions,
    };
    return lake.generateDataLakeSASQueryParameters(values, key, fields.accountName).toString();
  }
  if (resource.kind === 'blob') {
    const values = {
      ...always,
      containerName: resource.container,
      blobName: resource.path,
      permissions: BlobSASPermissions.parse(letters),
    };
    return generateBlobSASQueryParameters(values, key, fields.accountName).toString();
  }
  const values = { ...always, containerName: resource.container, permissions: ContainerSASPermissions.parse(letters) };
  return generateBlobSASQueryParameters(values, key, fields.accountName).toString();
}
