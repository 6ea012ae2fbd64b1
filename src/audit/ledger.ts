import { ScopedTokenError } from '../errors.ts';
import { idNames, type LedgerIds, safeJson, sealLine, seedOf } from './chain.ts';
import { readRecord, readRecords } from './read-records.ts';
import type { AuditRecord, RecordDraft, Where } from './record.ts';
import { scrubbed, scrubber } from './scrub.ts';
import { knownFields } from './shape.ts';
import { verifyLedger } from './verify.ts';

export type { LedgerIds } from './chain.ts';
export { joinParts, ledgerParts } from './parts.ts';
export { type LineProblem, type ReadRecords, readRecords } from './read-records.ts';
export { type LedgerFault, type LedgerVerification, verifyLedger } from './verify.ts';

/** A step's list of records, chained by hashes. A value: {@link appendRecord} makes a new one. */
export interface Ledger {
  readonly records: readonly AuditRecord[];
  /** JSON Lines, a line feed after every record. */
  readonly text: string;
}

/** A ledger without records. Its ids are those of the first record. */
export function startLedger(): Ledger {
  return { records: [], text: '' };
}

/** `hash` of the last record; empty when there is none. */
export function head(ledger: Ledger): string {
  return ledger.records.at(-1)?.hash ?? '';
}

/** The ledger as a file: JSON Lines in UTF-8, one line feed after every record. */
export function ledgerText(ledger: Ledger): string {
  return ledger.text;
}

/**
 * Adds a record. Only the fields of the type are written, in a fixed order; every text in them is scrubbed first (see
 * `scrubber`). The new record is `ledger.records.at(-1)`.
 *
 * @param secrets - values that must not stand in the ledger; shorter ones than 4 characters are not looked for.
 * @throws ScopedTokenError LEDGER_WRITE when the draft is no record (a field of a wrong form) or has other ids than the
 *   records before it. Nothing is added then.
 */
export function appendRecord(ledger: Ledger, draft: RecordDraft, secrets: readonly string[]): Ledger {
  const scrub = scrubber(secrets);
  const fields = knownFields(draft, scrub);
  const where = withIdsOf(ledger.records[0]?.where, fields['where'] as Where, scrub);
  const prev = ledger.records.length > 0 ? head(ledger) : seedOf(where);
  const { line } = sealLine(safeJson({ v: 1, seq: ledger.records.length + 1, ...fields, where, prev }));
  // read back, so that what is written is what a reader accepts
  const record = readRecord(line);
  if (typeof record === 'string') throw unwritable(record);
  return { records: [...ledger.records, record], text: `${ledger.text}${line}\n` };
}

/**
 * `where` with the ids as the ledger has them. They may differ by what was scrubbed: two stages of a job need not know the
 * same secrets, and a secret may be the organisation's name.
 */
function withIdsOf(first: LedgerIds | undefined, where: Where, scrub: (text: string) => string): Where {
  if (!first) return where;
  const foreign = idNames.find((name) => !first[name].includes(scrubbed) && scrub(first[name]) !== where[name]);
  if (foreign) throw unwritable(`${foreign} differs from the records before it`);
  const { organisation, projectId, planId, jobId, stepId } = first;
  return { ...where, organisation, projectId, planId, jobId, stepId };
}

function unwritable(why: string): ScopedTokenError {
  return new ScopedTokenError('LEDGER_WRITE', {
    happened: 'A record could not be added to the ledger.',
    why: `${why}.`,
    next: 'Report this with the version of the task; no token is handed out without its record.',
  });
}

/**
 * Takes up a ledger that an earlier stage left.
 *
 * @param expectedHead - its head, from where nobody but this step's stages could write it.
 * @throws ScopedTokenError LEDGER_TAMPERED when the text does not verify or ends with another head. Nothing may be added
 *   to it then, because that would vouch for it.
 */
export function resumeLedger(text: string, expectedHead: string): Ledger {
  const found = verifyLedger(text, { head: expectedHead });
  const { records, problems } = readRecords(text);
  const bad = found.firstBad ?? problems[0];
  if (bad) {
    throw new ScopedTokenError('LEDGER_TAMPERED', {
      happened: 'The ledger of this step is not the one that its earlier stage left.',
      why: `Line ${bad.line}: ${bad.reason}.`,
      next: 'Find the step of this job that wrote into the agent’s temporary folder. The records printed in the log of the earlier stage stand.',
    });
  }
  return { records, text };
}
