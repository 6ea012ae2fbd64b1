import { createHash, generateKeyPair, type KeyObject, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { exportJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';

/** An RSA key that signs RS256 JSON web tokens, with its public form. */
export class SigningKey {
  readonly keyId: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;

  private constructor(publicKey: KeyObject, privateKey: KeyObject) {
    this.publicKey = publicKey;
    this.privateKey = privateKey;
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    this.keyId = createHash('sha1').update(spki).digest('base64url');
  }

  static async create(): Promise<SigningKey> {
    const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
    return new SigningKey(publicKey, privateKey);
  }

  /** Signs claims as they are: times are the caller's. */
  sign(claims: Record<string, unknown>, moreHeader: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT(claims as JWTPayload)
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.keyId, ...moreHeader })
      .sign(this.privateKey);
  }

  /** The claims when the signature holds; undefined when it does not. Times and audience are the caller's to judge. */
  async verify(token: string): Promise<Claims | undefined> {
    try {
      // The library would judge `exp` by the machine's clock, so it is told a time at which nothing has run out.
      const { payload } = await jwtVerify(token, this.publicKey, {
        algorithms: ['RS256'],
        currentDate: farPast,
        clockTolerance: '1000 y',
      });
      return payload as Claims;
    } catch {
      return undefined;
    }
  }

  /** The key as a JSON web key set member. */
  async jsonWebKey(): Promise<Record<string, unknown>> {
    return { ...(await exportJWK(this.publicKey)), kid: this.keyId, use: 'sig', alg: 'RS256' };
  }
}

const farPast = new Date(0);

/** Claims of a token: strings, numbers and lists, by name. */
export type Claims = Readonly<Record<string, unknown>>;

/** A claim as text; empty when absent or of another type. */
export function claimText(claims: Claims | undefined, name: string): string {
  const value = claims?.[name];
  return typeof value === 'string' ? value : '';
}

/** A claim as a number; undefined when absent or of another type. */
export function claimNumber(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  return typeof value === 'number' ? value : undefined;
}

/** Reads a token's claims without judging its signature; undefined when it is no JWT. */
export function readClaims(token: string): Claims | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

/** A fresh id in the short form that Entra gives a token (`uti`). */
export function shortId(): string {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
}
