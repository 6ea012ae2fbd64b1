import type { UserDelegationKey } from '@azure/storage-blob';
import { type Azurite, azuriteToken } from './azurite.ts';
import { type Answer, bearerToken, type Call } from './call.ts';
import {
  type KeyTimes,
  keyName,
  keyNameOfSas,
  type RememberedKey,
  readKey,
  readKeyInfo,
  shiftTimes,
  writeKey,
  writeKeyInfo,
} from './delegation-keys.ts';
import { resourceNames } from './directory.ts';
import type { Entra } from './entra.ts';
import type { LabBase, Route } from './https-front.ts';
import { isDirectorySas } from './lake-signatures.ts';
import { type Claims, claimText } from './signing-key.ts';
import { accountInformation, type StorageCode, storageError } from './storage-answers.ts';
import { isSame, type SasTarget, sasOf, signAgain, withoutSas } from './storage-signatures.ts';

/** What a principal may do in the accounts: get delegation keys, read data, change data. */
export interface StorageRole {
  readonly delegator: boolean;
  readonly data: 'none' | 'read' | 'write';
}

/** A storage account of the lab. */
export interface StorageAccount {
  readonly name: string;
  readonly isHierarchical: boolean;
}

const longestKeyMilliseconds = 7 * 24 * 60 * 60 * 1000;

/**
 * A gateway in front of Azurite that adds what Azurite lacks: signatures of bearer tokens, roles, the correlation id
 * in a SAS, a SAS that must not outlive its key, the lab's clock, and accounts with a hierarchical namespace (for
 * delegation keys and account information only).
 */
export class Storage {
  /** Roles by client id; a client without one has `defaultRole`. */
  readonly roles = new Map<string, StorageRole>();
  defaultRole: StorageRole = { delegator: true, data: 'write' };
  /** Changes the times of every key that is asked for, as a service with a rule of its own might. */
  keyTimes: ((asked: KeyTimes) => KeyTimes) | undefined;
  readonly #base: LabBase;
  readonly #entra: Entra;
  readonly #azurite: Azurite;
  readonly #accounts: ReadonlyMap<string, StorageAccount>;
  readonly #keys = new Map<string, RememberedKey>();

  constructor(base: LabBase, entra: Entra, azurite: Azurite, accounts: readonly StorageAccount[]) {
    this.#base = base;
    this.#entra = entra;
    this.#azurite = azurite;
    this.#accounts = new Map(accounts.map((account) => [account.name, account]));
  }

  route(call: Call): Route {
    return { server: 'storage', answer: () => this.#answer(call) };
  }

  async #answer(call: Call): Promise<Answer> {
    const account = this.#accounts.get(call.host.split('.', 1)[0] ?? '');
    if (!account) return this.#refuse(call, 404, 'AuthorizationFailure');
    if (call.query.get('comp') === 'userdelegationkey') return this.#delegationKey(call, account);
    if (call.query.has('sig')) return this.#withSas(call, account);
    if (account.isHierarchical) return this.#refuse(call, 409, 'FeatureNotSupported');
    if (bearerToken(call)) return this.#withToken(call);
    return this.#forward(call, {});
  }

  async #delegationKey(call: Call, account: StorageAccount): Promise<Answer> {
    const claims = await this.#principal(call);
    if (call.method !== 'POST' || !claims) return this.#refuse(call, claims ? 403 : 401, 'InvalidAuthenticationInfo');
    if (!this.#roleOf(claims).delegator) return this.#refuse(call, 403, 'AuthorizationPermissionMismatch');
    const now = new Date(this.#base.clock.nowMilliseconds());
    const asked = readKeyInfo(call.body.toString('utf8'), now);
    if (!asked) return this.#refuse(call, 400, 'InvalidXmlDocument');
    const tooLong = asked.expiresOn.getTime() > now.getTime() + longestKeyMilliseconds;
    if (tooLong || asked.expiresOn <= asked.startsOn || asked.expiresOn <= now) {
      return this.#refuse(call, 400, 'InvalidXmlNodeValue');
    }
    const given = this.keyTimes ? this.keyTimes(asked) : asked;
    const inMachineTime = shiftTimes(given, -this.#base.clock.offsetSeconds);
    const answer = await this.#forward(call, this.#asPrincipal(claims), {
      body: Buffer.from(writeKeyInfo(inMachineTime)),
    });
    if (answer.status !== 200) return answer;
    const known = readKey(answer.body?.toString('utf8') ?? '');
    const issued: UserDelegationKey = { ...known, signedStartsOn: given.startsOn, signedExpiresOn: given.expiresOn };
    this.#keys.set(keyName(account.name, issued), { issued, known });
    this.#base.observations.secret('delegationKey', issued.value);
    return { ...answer, body: writeKey(issued) };
  }

  async #withSas(call: Call, account: StorageAccount): Promise<Answer> {
    const sas = sasOf(call.query);
    const target = targetOf(call, account.name);
    const key = this.#keys.get(keyNameOfSas(account.name, sas));
    // A SAS of an account's own key, or of a key that nobody got here: Azurite may judge it.
    if (!key) return account.isHierarchical || sas.has('scid') ? this.#badSignature(call) : this.#forward(call, {});
    if (Date.parse(sas.get('se') ?? '') > key.issued.signedExpiresOn.getTime()) {
      return this.#refuse(
        call,
        403,
        'AuthenticationFailed',
        'Signed expiry time is after the expiry time of the user delegation key',
      );
    }
    const genuine = await this.#isGenuine(sas, target, account, key.issued);
    const needsGateway =
      sas.has('scid') || account.isHierarchical || sas.get('sr') === 'd' || this.#base.clock.offsetSeconds !== 0;
    if (!genuine && needsGateway) return this.#badSignature(call);
    if (!this.#ownerMay(call, key.issued)) return this.#refuse(call, 403, 'AuthorizationPermissionMismatch');
    // Azurite judges times by itself, of a SAS that was signed anew as well; what is answered here is judged here.
    if (genuine && isAccountInformation(call)) {
      return this.#isInTime(sas) ? accountInformation(call, account.isHierarchical) : this.#outOfTime(call, sas);
    }
    if (account.isHierarchical) return this.#refuse(call, 409, 'FeatureNotSupported');
    if (!needsGateway) return this.#forward(call, {});
    const changes = { correlationId: false, shiftSeconds: -this.#base.clock.offsetSeconds };
    const forAzurite = signAgain(sas, target, key.known, changes);
    if (!forAzurite) return this.#badSignature(call);
    const rest = withoutSas(call.query).toString();
    return this.#forward(call, {}, { target: `${call.path}?${rest ? `${rest}&` : ''}${forAzurite}` });
  }

  async #isGenuine(
    sas: URLSearchParams,
    target: SasTarget,
    account: StorageAccount,
    key: UserDelegationKey,
  ): Promise<boolean> {
    if (target.container === '') return false;
    if (sas.get('sr') === 'd') return account.isHierarchical && (await isDirectorySas(sas, target, key));
    return isSame(sas, signAgain(sas, target, key, { correlationId: true, shiftSeconds: 0 }));
  }

  #isInTime(sas: URLSearchParams): boolean {
    const now = this.#base.clock.nowMilliseconds();
    const start = sas.get('st');
    return Date.parse(sas.get('se') ?? '') > now && (start === null || Date.parse(start) <= now);
  }

  async #withToken(call: Call): Promise<Answer> {
    const claims = await this.#principal(call);
    if (!claims) return this.#refuse(call, 401, 'InvalidAuthenticationInfo');
    if (isAccountInformation(call)) return this.#refuse(call, 403, 'AuthorizationPermissionMismatch');
    if (!mayDo(this.#roleOf(claims), call)) return this.#refuse(call, 403, 'AuthorizationPermissionMismatch');
    return this.#forward(call, this.#asPrincipal(claims));
  }

  #principal(call: Call): Promise<Claims | undefined> {
    const audiences = [resourceNames.storage, 'e406a681-f3d4-42a8-90b6-c2b029497af1', `https://${call.host}`];
    return this.#entra.verifyAccessToken(bearerToken(call) ?? '', audiences);
  }

  #roleOf(claims: Claims): StorageRole {
    return this.roles.get(claimText(claims, 'appid') || claimText(claims, 'azp')) ?? this.defaultRole;
  }

  /** A SAS gives never more than the owner of its key has at the time of use. narrowing-azure §4.2. */
  #ownerMay(call: Call, key: UserDelegationKey): boolean {
    const owner = this.#entra.directory.principal(key.signedObjectId);
    const role = owner ? (this.roles.get(owner.clientId) ?? this.defaultRole) : undefined;
    return role !== undefined && (isAccountInformation(call) || mayDo(role, call));
  }

  #asPrincipal(claims: Claims): Record<string, string> {
    const token = azuriteToken({ objectId: claimText(claims, 'oid'), tenantId: claimText(claims, 'tid') });
    return { authorization: `Bearer ${token}` };
  }

  #forward(
    call: Call,
    headers: Record<string, string>,
    changes: Partial<Pick<Call, 'target' | 'body'>> = {},
  ): Promise<Answer> {
    const { method, target, body } = { ...call, ...changes };
    return this.#azurite.upstream.send({ method, target, body, headers: { ...call.headers, ...headers } });
  }

  #outOfTime(call: Call, sas: URLSearchParams): Answer {
    const frame = `Start [${sas.get('st') ?? ''}] - Expiry [${sas.get('se')}]`;
    return this.#refuse(call, 403, 'AuthenticationFailed', `Signature not valid in the specified time frame: ${frame}`);
  }

  #badSignature(call: Call): Answer {
    return this.#refuse(call, 403, 'AuthenticationFailed', 'Signature did not match.');
  }

  #refuse(call: Call, status: number, code: StorageCode, detail?: string): Answer {
    return storageError(call, this.#base.clock, status, code, detail);
  }
}

function isAccountInformation(call: Call): boolean {
  return call.query.get('restype') === 'account' && call.query.get('comp') === 'properties';
}

function mayDo(role: StorageRole, call: Call): boolean {
  const reads = call.method === 'GET' || call.method === 'HEAD';
  return role.data === 'write' || (role.data === 'read' && reads);
}

function targetOf(call: Call, account: string): SasTarget {
  const segments = call.path.split('/').slice(1);
  return { account, container: decode(segments[0] ?? ''), path: decode(segments.slice(1).join('/')) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
