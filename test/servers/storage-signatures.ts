import { timingSafeEqual } from 'node:crypto';
import {
  BlobSASPermissions,
  type BlobSASSignatureValues,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  type SASProtocol,
  type UserDelegationKey,
} from '@azure/storage-blob';

/** What a SAS is for: the resource of the request that carries it. */
export interface SasTarget {
  readonly account: string;
  readonly container: string;
  /** Decoded; empty for a container. */
  readonly path: string;
}

/** Query parameters that make up a SAS; whatever else a request carries is not signed. */
const sasNames = [
  ...[
    'sv',
    'ss',
    'srt',
    'sr',
    'sp',
    'st',
    'se',
    'sip',
    'spr',
    'sig',
    'si',
    'ses',
    'sdd',
    'scid',
    'saoid',
    'suoid',
    'sduoid',
  ],
  ...['skoid', 'sktid', 'skt', 'ske', 'sks', 'skv', 'skdutid', 'rscc', 'rscd', 'rsce', 'rscl', 'rsct', 'srh', 'srq'],
];

/** The SAS within a query, apart from everything else. */
export function sasOf(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => sasNames.includes(name)));
}

/** A query without its SAS. */
export function withoutSas(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => !sasNames.includes(name)));
}

/** Signs a container's or blob's SAS anew with the library: the same fields, some replaced. Undefined when it cannot be. */
export function signAgain(
  sas: URLSearchParams,
  target: SasTarget,
  key: UserDelegationKey,
  changes: { readonly correlationId: boolean; readonly shiftSeconds: number },
): URLSearchParams | undefined {
  try {
    const values = signatureValues(sas, target, changes);
    return new URLSearchParams(generateBlobSASQueryParameters(values, key, target.account).toString());
  } catch {
    // The library refuses letters and combinations that the service refuses as well.
    return undefined;
  }
}

/** Whether a SAS is, field for field, what signing its own fields gives. The signature is compared in constant time. */
export function isSame(given: URLSearchParams, made: URLSearchParams | undefined): boolean {
  if (!made) return false;
  const names = new Set([...given.keys(), ...made.keys()]);
  names.delete('sig');
  for (const name of names) {
    if (given.getAll(name).length !== 1 || made.get(name) !== given.get(name)) return false;
  }
  return sameSignature(given.get('sig') ?? '', made.get('sig') ?? '');
}

function signatureValues(
  sas: URLSearchParams,
  target: SasTarget,
  changes: { readonly correlationId: boolean; readonly shiftSeconds: number },
): BlobSASSignatureValues {
  const isBlob = sas.get('sr') === 'b';
  if (!isBlob && sas.get('sr') !== 'c') throw new Error('neither a container nor a blob');
  const letters = sas.get('sp') ?? '';
  const values: BlobSASSignatureValues = {
    version: sas.get('sv') ?? '',
    containerName: target.container,
    permissions: isBlob ? BlobSASPermissions.parse(letters) : ContainerSASPermissions.parse(letters),
  };
  if (isBlob) values.blobName = target.path;
  const shift = (name: string): Date => new Date(Date.parse(sas.get(name) ?? '') + changes.shiftSeconds * 1000);
  if (sas.has('st')) values.startsOn = shift('st');
  if (sas.has('se')) values.expiresOn = shift('se');
  if (sas.has('spr')) values.protocol = sas.get('spr') as SASProtocol;
  const texts = {
    ses: 'encryptionScope',
    saoid: 'preauthorizedAgentObjectId',
    rscc: 'cacheControl',
    rscd: 'contentDisposition',
    rsce: 'contentEncoding',
    rscl: 'contentLanguage',
    rsct: 'contentType',
  } as const;
  for (const [name, field] of Object.entries(texts)) {
    const value = sas.get(name);
    if (value !== null) values[field as (typeof texts)[keyof typeof texts]] = value;
  }
  const addresses = sas.get('sip')?.split('-');
  if (addresses?.[0])
    values.ipRange = addresses[1] ? { start: addresses[0], end: addresses[1] } : { start: addresses[0] };
  const correlationId = sas.get('scid');
  if (changes.correlationId && correlationId !== null) values.correlationId = correlationId;
  return values;
}

/** Compares two signatures in constant time. */
export function sameSignature(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
