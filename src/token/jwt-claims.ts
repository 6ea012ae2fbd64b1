import { base64urlnopad, utf8 } from '@scure/base';

/** Claims of a JWT as it stands; nothing about them was verified. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * Reads the claims of a JWT without trusting it (RFC 7519 §3). `undefined` for an opaque token.
 */
export function readClaims(token: string): Claims | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const payload = base64urlnopad.decode((parts[1] ?? '').replace(/=+$/, ''));
    const claims: unknown = JSON.parse(utf8.encode(payload));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Claims) : undefined;
  } catch {
    return undefined;
  }
}

/** A claim that must be a non-empty string; `undefined` otherwise. */
export function textClaim(claims: Claims | undefined, name: string): string | undefined {
  const value = claims?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A NumericDate claim (RFC 7519 §2), as a date. */
export function dateClaim(claims: Claims | undefined, name: string): Date | undefined {
  const value = claims?.[name];
  if (typeof value !== 'number') return undefined;
  const date = new Date(value * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
