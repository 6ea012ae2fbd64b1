import { concatBytes } from '@noble/hashes/utils.js';
import { bytesOf } from './chain.ts';
import { readRecords } from './read-records.ts';

/** The largest part that is attached to a run, in bytes. */
export const largestPartBytes = 4 * 1024 * 1024;

/**
 * Splits a ledger at line ends into parts of at most `maxBytes`; a longer line is a part of its own. The parts, one after
 * the other, are the ledger byte for byte, and its chain runs through them: the first `prev` of a part is the last `hash`
 * of the part before. An empty ledger has no part.
 */
export function ledgerParts(text: string, maxBytes: number = largestPartBytes): string[] {
  const parts: string[] = [];
  let part = '';
  let size = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const lineSize = bytesOf(line).length;
    if (size > 0 && size + lineSize > maxBytes) {
      parts.push(part);
      part = '';
      size = 0;
    }
    part += line;
    size += lineSize;
  }
  return size > 0 ? [...parts, part] : parts;
}

/**
 * Puts parts in the order of the number in their first record, whatever order they came in, and joins their bytes. A part
 * whose first line cannot be read goes last; `verifyLedger` of the whole then names it.
 */
export function joinParts(parts: readonly (Uint8Array | string)[]): Uint8Array {
  const ordered = parts
    .map((part) => (typeof part === 'string' ? bytesOf(part) : part))
    .map((bytes) => ({ bytes, first: firstNumber(bytes) }))
    .sort((a, b) => (a.first === b.first ? 0 : a.first - b.first));
  return concatBytes(...ordered.map(({ bytes }) => bytes));
}

function firstNumber(part: Uint8Array): number {
  const end = part.indexOf(0x0a);
  const [record] = readRecords(end < 0 ? part : part.subarray(0, end)).records;
  return record?.seq ?? Number.POSITIVE_INFINITY;
}
