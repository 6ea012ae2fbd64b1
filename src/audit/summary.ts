import type { Enforcement } from '../token/narrowed-token.ts';
import type { AuditRecord, Outcome, TokenFacts, What, Where, Who } from './record.ts';
import { signInQueries, type TargetQuery, targetQueries } from './target-logs.ts';

/** Over this, a difference between the agent's clock and the issuer's is flagged. */
export const flaggedSkewSeconds = 120;

/** How far a token came. `unfinished`: asked for, and no record says what became of it. */
export type TokenState = 'issued' | 'failed' | 'cancelled' | 'unfinished';

/**
 * How a token ended, as far as the records tell. `none`: there was none. `open`: nothing says that it ended, so it is valid
 * until it expires. `unknown`: it is not known whether there was one.
 */
export type TokenEnd = 'none' | 'revoked' | 'revokeFailed' | 'expired' | 'notRevocable' | 'open' | 'unknown';

/** What the records say of a token's use: nothing, but where to look. */
export interface UseNote {
  readonly text: string;
  /** Queries for Azure Monitor Logs, the target's own log first. */
  readonly queries: readonly TargetQuery[];
}

/** One token, or one attempt to get one, over all its records. */
export interface TokenRow {
  readonly intentId: string;
  readonly where: Where;
  readonly who: Who;
  readonly what: What;
  readonly purpose?: string;
  readonly state: TokenState;
  readonly outcome: Outcome;
  readonly token?: TokenFacts;
  readonly end: TokenEnd;
  /** RFC 3339, UTC: when the record of the end was written. */
  readonly endedOn?: string;
  /** Why it could not be revoked, when it could not. */
  readonly endReason?: string;
  /** RFC 3339, UTC: first record of this token. */
  readonly askedOn: string;
  /** RFC 3339, UTC: record of the issue. */
  readonly issuedOn?: string;
  /** What joins it to the issuers' logs, by name. */
  readonly ids: Readonly<Record<string, string>>;
  /** The largest difference seen between the agent's clock and an issuer's. */
  readonly skewSeconds?: number;
  /** It is over {@link flaggedSkewSeconds}, either way. */
  readonly clocksDiffer: boolean;
  readonly use: UseNote;
}

/** Numbers of rows; `byEnforcement` counts issued tokens only. */
export interface SummaryTotals {
  readonly tokens: number;
  readonly byState: Readonly<Record<TokenState, number>>;
  readonly byEnd: Readonly<Record<TokenEnd, number>>;
  readonly byEnforcement: Readonly<Record<Enforcement, number>>;
  readonly withExcess: number;
  readonly withMissing: number;
  readonly clocksDiffer: number;
}

/** What one or more ledgers tell, one row per token. */
export interface Summary {
  /** In the order in which the tokens were asked for, as the records stand. */
  readonly rows: readonly TokenRow[];
  readonly totals: SummaryTotals;
  /** `recordId`s that stand in two different records: one of them is forged or damaged. The first one counted. */
  readonly conflicts: readonly string[];
}

/**
 * Sums up records of any number of steps, attempts and tries. The same record in two ledgers (a stage's and a later stage's
 * copy) counts once; a token counts once, however many records tell of it.
 */
export function summarise(records: readonly AuditRecord[]): Summary {
  const { distinct, conflicts } = withoutCopies(records);
  const rows = byToken(distinct).map(rowOf);
  return { rows, totals: totalsOf(rows), conflicts };
}

function withoutCopies(records: readonly AuditRecord[]): { distinct: AuditRecord[]; conflicts: string[] } {
  const seen = new Map<string, AuditRecord>();
  const conflicts = new Set<string>();
  for (const record of records) {
    const earlier = seen.get(record.recordId);
    if (!earlier) seen.set(record.recordId, record);
    else if (earlier.hash !== record.hash) conflicts.add(record.recordId);
  }
  return { distinct: [...seen.values()], conflicts: [...conflicts] };
}

/** Records of one intent in one step; when they tell of two tokens, once for each. */
function byToken(records: readonly AuditRecord[]): AuditRecord[][] {
  const groups = new Map<string, AuditRecord[]>();
  for (const record of records) {
    const key = JSON.stringify([record.where.planId, record.where.jobId, record.where.stepId, record.intentId]);
    const group = groups.get(key);
    if (group) group.push(record);
    else groups.set(key, [record]);
  }
  return [...groups.values()].flatMap((group) => {
    const prints = new Set(group.flatMap((record) => (record.token ? [record.token.fingerprint] : [])));
    if (prints.size < 2) return [group];
    return [...prints].map((print) => group.filter(({ token }) => !token || token.fingerprint === print));
  });
}

const stateEvents: readonly string[] = ['issued', 'failed', 'cancelled'];
const endEvents: readonly string[] = ['revoked', 'revokeFailed', 'expired', 'notRevocable'];

function rowOf(group: readonly AuditRecord[]): TokenRow {
  const first = group[0] as AuditRecord; // a group is made with its first record
  const settled = group.findLast(({ event }) => stateEvents.includes(event));
  const ended = group.findLast(({ event }) => endEvents.includes(event));
  const issued = group.find(({ event }) => event === 'issued');
  const token = group.findLast((record) => record.token)?.token;
  const purpose = group.find((record) => record.purpose !== undefined)?.purpose;
  const skewSeconds = largestSkew(group);
  const end = ended ? (ended.event as TokenEnd) : endWithoutRecord(settled, token);
  const facts = {
    intentId: first.intentId,
    where: first.where,
    who: merged(group.map(({ who }) => who)),
    what: merged(group.map(({ what }) => what)),
    ...(purpose === undefined ? {} : { purpose }),
    state: (settled?.event ?? 'unfinished') as TokenState,
    outcome: (settled ?? first).outcome,
    ...(token ? { token } : {}),
    end,
    ...(ended ? { endedOn: ended.time } : {}),
    ...(ended?.outcome.reason === undefined ? {} : { endReason: ended.outcome.reason }),
    askedOn: first.time,
    ...(issued ? { issuedOn: issued.time } : {}),
    ids: merged(group.map(({ issuer }) => issuer?.ids ?? {})),
    ...(skewSeconds === undefined ? {} : { skewSeconds }),
    clocksDiffer: Math.abs(skewSeconds ?? 0) > flaggedSkewSeconds,
  };
  return { ...facts, use: useNote(facts) };
}

/** Later records add to earlier ones and correct them. */
function merged<T extends object>(parts: readonly T[]): T {
  return Object.assign({}, ...parts) as T;
}

function endWithoutRecord(settled: AuditRecord | undefined, token: TokenFacts | undefined): TokenEnd {
  if (token) return 'open';
  return settled ? 'none' : 'unknown';
}

function largestSkew(group: readonly AuditRecord[]): number | undefined {
  const skews = group.flatMap(({ issuer }) => (issuer?.skewSeconds === undefined ? [] : [issuer.skewSeconds]));
  return skews.sort((a, b) => Math.abs(b) - Math.abs(a))[0];
}

function useNote(row: Omit<TokenRow, 'use'>): UseNote {
  if (row.end === 'none') return { text: 'No token, so no use.', queries: signInQueries(row) };
  const text = row.what.variable
    ? `Use not observed here: the token was a variable of the job (${row.what.variable}). The target's own log knows.`
    : "Use not observed here. The target's own log knows.";
  return { text, queries: [...targetQueries(row), ...signInQueries(row)] };
}

function totalsOf(rows: readonly TokenRow[]): SummaryTotals {
  const byState = { issued: 0, failed: 0, cancelled: 0, unfinished: 0 };
  const byEnd = { none: 0, revoked: 0, revokeFailed: 0, expired: 0, notRevocable: 0, open: 0, unknown: 0 };
  const byEnforcement = { issuer: 0, broker: 0, bounded: 0, none: 0 };
  for (const { state, end, what } of rows) {
    byState[state] += 1;
    byEnd[end] += 1;
    if (state === 'issued' && what.enforcement) byEnforcement[what.enforcement] += 1;
  }
  const number = (test: (row: TokenRow) => boolean) => rows.filter(test).length;
  return {
    tokens: rows.length,
    byState,
    byEnd,
    byEnforcement,
    withExcess: number(({ what }) => (what.excess ?? []).length > 0),
    withMissing: number(({ what }) => (what.missing ?? []).length > 0),
    clocksDiffer: number(({ clocksDiffer }) => clocksDiffer),
  };
}
