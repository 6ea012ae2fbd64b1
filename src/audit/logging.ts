import { plainText } from './plain-text.ts';
import type { AuditRecord } from './record.ts';
import { flaggedSkewSeconds } from './summary.ts';

/**
 * A record as a few lines for the stage's log. The log stands beside the attachment as evidence, so the record's number
 * and hash are among them. Foreign text is made safe: no line of it can be a command to the agent.
 */
export function recordLogLines(record: AuditRecord): string[] {
  const { what, who, where, token, issuer, outcome } = record;
  const proof = what.proof === undefined ? '' : ` (${what.proof})`;
  const skew = issuer?.skewSeconds;
  const facts: [name: string, value: string | undefined][] = [
    ['target', joined([what.target, what.resource], ' ')],
    ['asked', list(what.asked)],
    ['granted', list(what.granted)],
    ['missing', list(what.missing)],
    ['excess', list(what.excess)],
    ['enforcement', what.enforcement && `${what.enforcement}${proof}`],
    ['not checked', list(what.notChecked)],
    ['token', token && `fingerprint ${token.fingerprint}, expires ${token.expiresOn}`],
    ['variable', what.variable],
    ['identity', joined([who.connectionName, who.source, who.clientId], ', ')],
    ['purpose', record.purpose],
    ['reason', joined([outcome.providerCode, outcome.reason], ': ')],
    ['ids', list(Object.entries(issuer?.ids ?? {}).map(([name, id]) => `${name} ${id}`))],
    [
      'clock',
      skew !== undefined && Math.abs(skew) > flaggedSkewSeconds ? `${skew} s from the issuer's clock` : undefined,
    ],
    ['hash', record.hash],
  ];
  return [
    plainText(
      `${record.event} at ${record.time}, record ${record.seq}, try ${where.try}: ${outcome.code} (${record.recordId})`,
    ),
    ...facts.flatMap(([name, value]) => (value ? [`  ${name.padEnd(12)}${plainText(value, 1000)}`] : [])),
  ];
}

/** The line with which every stage ends its evidence; `head` and `count` are those of the ledger. */
export function headLogLine(head: string, count: number): string {
  return head === ''
    ? 'Ledger: no record'
    : `Ledger head: ${head} after ${count} ${count === 1 ? 'record' : 'records'}`;
}

const list = (items: readonly string[] | undefined) => items && joined(items, '; ');

function joined(parts: readonly (string | undefined)[], separator: string): string | undefined {
  const present = parts.filter((part) => part !== undefined && part !== '');
  return present.length > 0 ? present.join(separator) : undefined;
}
