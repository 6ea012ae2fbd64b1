import { sha256 } from '@noble/hashes/sha2.js';
import { base64, base64urlnopad, hex, utf8 } from '@scure/base';

/** User names that tools put before a token in Basic authentication. */
const basicUserNames = ['', 'x-access-token', 'AzureDevOps', '00000000-0000-0000-0000-000000000000'];

const bytesOf = (text: string) => utf8.decode(text);

/** SHA-256 of a text's UTF-8 bytes, lower-case hex. */
export function sha256Hex(text: string): string {
  return hex.encode(sha256(bytesOf(text)));
}

/** Standard base64 of a text's UTF-8 bytes. */
export function base64Of(text: string): string {
  return base64.encode(bytesOf(text));
}

/**
 * First 16 hex digits of SHA-256 of a token. Only for tokens of at least 128 random bits: a digest of a weak value
 * could be guessed.
 */
export function fingerprintOf(token: string): string {
  return sha256Hex(token).slice(0, 16);
}

/**
 * The forms in which a token shows up in logs: itself, base64, base64url, URL-encoded, JSON-escaped and as the Basic
 * credential with the user names that tools use. Every form is to be masked before the token is exposed.
 */
export function maskedForms(token: string): string[] {
  const forms = [
    token,
    base64Of(token),
    base64urlnopad.encode(bytesOf(token)),
    encodeURIComponent(token),
    JSON.stringify(token).slice(1, -1),
    ...basicUserNames.map((user) => base64Of(`${user}:${token}`)),
  ];
  return [...new Set(forms)];
}
