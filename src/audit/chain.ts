import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { hex } from '@scure/base';
import type { Where } from './record.ts';

/** The five ids that bind a ledger to one step of one run. */
export type LedgerIds = Pick<Where, 'organisation' | 'projectId' | 'planId' | 'jobId' | 'stepId'>;

/** Their names, in the order of the seed. */
export const idNames = ['organisation', 'projectId', 'planId', 'jobId', 'stepId'] as const;

/** Between a record's covered bytes and its hash. */
const hashLabel = ',"hash":"';

/** `,"hash":"` + 64 hex digits + `"}`: how every line ends. */
export const tailLength = hashLabel.length + 64 + 2;

/** SHA-256 of bytes, lower-case hex. */
export const hashOf = (bytes: Uint8Array): string => hex.encode(sha256(bytes));

/** UTF-8 of a text; a lone surrogate becomes U+FFFD. */
export const bytesOf = (text: string): Uint8Array => utf8ToBytes(text);

/**
 * What `prev` of a ledger's first record is: SHA-256 of the UTF-8 bytes of this text, without a line end:
 * `["scoped-token.ledger/1",ORGANISATION,PROJECT_ID,PLAN_ID,JOB_ID,STEP_ID]`, a JSON array without blanks.
 */
export function seedOf(ids: LedgerIds): string {
  return hashOf(bytesOf(JSON.stringify(['scoped-token.ledger/1', ...idNames.map((name) => ids[name])])));
}

/**
 * Closes a line: `body` is a JSON object whose last field is `prev`; its SHA-256 becomes the last field.
 *
 * @returns the line without its line feed, and the hash.
 */
export function sealLine(body: string): { readonly line: string; readonly hash: string } {
  const hash = hashOf(bytesOf(body));
  return { line: `${body.slice(0, -1)}${hashLabel}${hash}"}`, hash };
}

/** The hash that a line carries and the hash of what it covers; `undefined` when it does not end as a line must. */
export function hashesOfLine(line: Uint8Array): { readonly carried: string; readonly covered: string } | undefined {
  const cut = line.length - tailLength;
  if (cut < 1) return undefined;
  const tail = String.fromCharCode(...line.subarray(cut));
  if (!tail.startsWith(hashLabel) || !/^[0-9a-f]{64}"\}$/.test(tail.slice(hashLabel.length))) return undefined;
  const covered = new Uint8Array(cut + 1);
  covered.set(line.subarray(0, cut));
  covered[cut] = 0x7d; // the brace that stood there when the hash was taken
  return { carried: tail.slice(hashLabel.length, -2), covered: hashOf(covered) };
}

/**
 * JSON that is one line, and harmless, to whoever reads it: characters that some programs take for a line end or do not
 * show, and `##`, with which the agent's commands begin, are written as JSON escapes.
 */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|#(?=#)/gu, (character) =>
    // a character beyond the first plane is two units, and two escapes
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
