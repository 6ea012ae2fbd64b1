import type { UserDelegationKey } from '@azure/storage-blob';

/** A key as it was handed out, and the key that Azurite knows: they differ when the lab's clock is shifted. */
export interface RememberedKey {
  readonly issued: UserDelegationKey;
  readonly known: UserDelegationKey;
}

/** Start and end that a key is asked for, or given. */
export interface KeyTimes {
  readonly startsOn: Date;
  readonly expiresOn: Date;
}

/** Reads `<KeyInfo>`; undefined when a time is missing or no time. `Start` may be left out. */
export function readKeyInfo(xml: string, now: Date): KeyTimes | undefined {
  const start = element(xml, 'Start');
  const expiry = element(xml, 'Expiry');
  const times = { startsOn: start ? new Date(start) : now, expiresOn: new Date(expiry) };
  return Number.isNaN(times.startsOn.getTime()) || Number.isNaN(times.expiresOn.getTime()) ? undefined : times;
}

/** Writes `<KeyInfo>` with whole seconds, which is what a SAS can carry. */
export function writeKeyInfo(times: KeyTimes): string {
  return `<?xml version="1.0" encoding="utf-8"?><KeyInfo><Start>${seconds(times.startsOn)}</Start><Expiry>${seconds(times.expiresOn)}</Expiry></KeyInfo>`;
}

/** Reads `<UserDelegationKey>`. */
export function readKey(xml: string): UserDelegationKey {
  return {
    signedObjectId: element(xml, 'SignedOid'),
    signedTenantId: element(xml, 'SignedTid'),
    signedStartsOn: new Date(element(xml, 'SignedStart')),
    signedExpiresOn: new Date(element(xml, 'SignedExpiry')),
    signedService: element(xml, 'SignedService'),
    signedVersion: element(xml, 'SignedVersion'),
    value: element(xml, 'Value'),
  };
}

/** Writes `<UserDelegationKey>` as the service answers it. */
export function writeKey(key: UserDelegationKey): string {
  const fields = [
    ['SignedOid', key.signedObjectId],
    ['SignedTid', key.signedTenantId],
    ['SignedStart', seconds(key.signedStartsOn)],
    ['SignedExpiry', seconds(key.signedExpiresOn)],
    ['SignedService', key.signedService],
    ['SignedVersion', key.signedVersion],
    ['Value', key.value],
  ].map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>${fields.join('')}</UserDelegationKey>`;
}

/** Both times moved. */
export function shiftTimes(times: KeyTimes, shiftSeconds: number): KeyTimes {
  const move = (time: Date): Date => new Date(time.getTime() + shiftSeconds * 1000);
  return { startsOn: move(times.startsOn), expiresOn: move(times.expiresOn) };
}

/** The fields by which a SAS names its key. */
export function keyNameOfSas(account: string, sas: URLSearchParams): string {
  return [account, ...['skoid', 'sktid', 'skt', 'ske', 'sks', 'skv'].map((name) => sas.get(name) ?? '')].join('\n');
}

/** The same fields of a key. */
export function keyName(account: string, key: UserDelegationKey): string {
  return [
    account,
    key.signedObjectId,
    key.signedTenantId,
    seconds(key.signedStartsOn),
    seconds(key.signedExpiresOn),
    key.signedService,
    key.signedVersion,
  ].join('\n');
}

function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function element(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.trim() ?? '';
}
