import type { UserDelegationKey } from '@azure/storage-blob';
import { isSame, type SasTarget } from './storage-signatures.ts';

/**
 * Whether a directory's SAS (`sr=d`) is what Microsoft's Data Lake library signs for its own fields. The directory is
 * the first `sdd` segments of the request's path. The library is loaded when it is first needed.
 */
export async function isDirectorySas(
  sas: URLSearchParams,
  target: SasTarget,
  key: UserDelegationKey,
): Promise<boolean> {
  const depth = Number(sas.get('sdd'));
  const segments = target.path.split('/').filter(Boolean);
  if (!Number.isInteger(depth) || depth < 1 || segments.length < depth) return false;
  const lake = await import('@azure/storage-file-datalake');
  try {
    const made = lake.generateDataLakeSASQueryParameters(
      {
        version: sas.get('sv') ?? '',
        fileSystemName: target.container,
        pathName: segments.slice(0, depth).join('/'),
        isDirectory: true,
        directoryDepth: depth,
        permissions: lake.DirectorySASPermissions.parse(sas.get('sp') ?? ''),
        ...(sas.has('st') ? { startsOn: new Date(sas.get('st') ?? '') } : {}),
        ...(sas.has('se') ? { expiresOn: new Date(sas.get('se') ?? '') } : {}),
        ...(sas.has('spr') ? { protocol: sas.get('spr') as import('@azure/storage-file-datalake').SASProtocol } : {}),
        ...(sas.has('saoid') ? { preauthorizedAgentObjectId: sas.get('saoid') ?? '' } : {}),
        ...(sas.has('suoid') ? { agentObjectId: sas.get('suoid') ?? '' } : {}),
        ...(sas.has('scid') ? { correlationId: sas.get('scid') ?? '' } : {}),
      },
      key,
      target.account,
    );
    return isSame(sas, new URLSearchParams(made.toString()));
  } catch {
    return false;
  }
}
