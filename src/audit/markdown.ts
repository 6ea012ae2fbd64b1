import { bytesOf } from './chain.ts';
import { markdownList, markdownRow, markdownTable, markdownText } from './markdown-text.ts';
import type { Summary, TokenRow } from './summary.ts';

/** The largest summary, in bytes. */
export const largestSummaryBytes = 256 * 1024;

/** For the table at the top. */
const largestOverviewBytes = 48 * 1024;
const longestQuery = 4000;

/** The ledger that a summary was made from. */
export interface SummarisedLedger {
  /** Hash of its last record. */
  readonly head: string;
  readonly count: number;
  /** Name of the attachment that holds it, when it was attached. */
  readonly attachment?: string;
}

/**
 * The summary for a run's *Extensions* tab: headings, tables and lists, no HTML; under 256 KB, whatever the records hold.
 * Tokens beyond that are counted, not shown. Foreign text shows as it is and does nothing.
 */
export function summaryMarkdown(summary: Summary, ledger: SummarisedLedger): string {
  const head = [...overview(summary), ...conflicts(summary)];
  const tail = ledgerSection(ledger);
  const headings = headingsOf(summary.rows);
  const left = largestSummaryBytes - sizeOf([...head, ...tail]) - 1024;
  const sections = fitting(
    summary.rows.map((row, index) => () => tokenSection(row, headings[index] ?? '')),
    left,
  );
  const hidden = summary.rows.length - sections.length;
  const more = hidden > 0 ? [`## ${hidden} more`, '- The ledger holds them; they are not shown here.'] : [];
  return `${[...head, ...sections, ...more, ...tail].join('\n\n')}\n`;
}

/** As many of the first texts as fit into so many bytes. */
function fitting(makers: readonly (() => string)[], bytes: number): string[] {
  const texts: string[] = [];
  let left = bytes;
  for (const make of makers) {
    const text = make();
    left -= sizeOf([text]);
    if (left < 0) break;
    texts.push(text);
  }
  return texts;
}

/** In UTF-8, with the blank line after each. */
const sizeOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + bytesOf(text).length + 2, 0);

function overview({ rows, totals }: Summary): string[] {
  if (rows.length === 0) return ['- No token was asked for.'];
  if (rows.length === 1) return [];
  const numbers = [
    `${totals.tokens} asked for`,
    `${totals.byState.issued} issued`,
    `${totals.byState.failed} failed`,
    `${totals.byState.cancelled + totals.byState.unfinished} cancelled or unfinished`,
    `${totals.byEnd.revoked} revoked`,
  ];
  const lines = fitting(
    rows.map((row) => () => overviewLine(row)),
    largestOverviewBytes,
  );
  return [
    `- ${numbers.join(', ')}`,
    [...markdownTable(['Step', 'Target', 'Asked', 'Enforcement', 'Expires', 'Outcome']), ...lines].join('\n'),
    ...(rows.length > lines.length ? [`- … and ${rows.length - lines.length} more`] : []),
  ];
}

function overviewLine(row: TokenRow): string {
  return markdownRow([
    `${short(row.where.step ?? 'step')}${attemptOf(row)}`,
    `${short(row.what.target)} ${short(row.what.resource)}`,
    markdownList(row.what.asked, 200),
    enforcementOf(row),
    markdownText(row.token?.expiresOn ?? ''),
    outcomeOf(row),
  ]);
}

function conflicts({ conflicts: ids }: Summary): string[] {
  if (ids.length === 0) return [];
  return [`- **Two different records share an id**; one of each pair is not genuine: ${markdownList(ids)}`];
}

/** Tells two uses of the task apart by what people call them; a number where they call them the same. */
function headingsOf(rows: readonly TokenRow[]): string[] {
  const used = new Map<string, number>();
  return rows.map((row) => {
    const names = [row.where.step ?? 'Scoped Token', row.what.target, row.what.resource].map(short);
    const name = `${names.join(' · ')}${attemptOf(row)}`;
    const times = (used.get(name) ?? 0) + 1;
    used.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  });
}

function attemptOf({ where }: TokenRow): string {
  const attempt = where.jobAttempt > 1 ? ` · attempt ${where.jobAttempt}` : '';
  return where.try > 1 ? `${attempt} · try ${where.try}` : attempt;
}

function tokenSection(row: TokenRow, heading: string): string {
  const facts = factsOf(row).flatMap(([name, value]) => (value ? [markdownRow([name, value])] : []));
  const queries = row.use.queries.map(({ table, finds, kql }) =>
    kql.length > longestQuery
      ? `- ${table}, ${finds}: the query is too long to be shown here`
      : `- ${table}, ${finds}: \`${kql.replaceAll('\n', ' ')}\``,
  );
  const table = [...markdownTable(['Fact', 'Value']), ...facts].join('\n');
  return [`## ${heading}`, table, [`- ${markdownText(row.use.text)}`, ...queries].join('\n')].join('\n\n');
}

function factsOf(row: TokenRow): [name: string, value: string | undefined][] {
  const { what, who, where, token } = row;
  const list = (values: readonly string[] | undefined) => values && markdownList(values);
  const text = (...values: readonly (string | undefined)[]) =>
    values
      .filter((value) => value !== undefined)
      .filter((value) => value !== '')
      .map((value) => markdownText(value))
      .join(', ');
  const times = [where.jobAttempt, where.try];
  return [
    ['Outcome', outcomeOf(row)],
    ['Reason', text(row.outcome.providerCode, row.outcome.reason)],
    ['Purpose', text(row.purpose)],
    ['Asked', list(what.asked)],
    ['Granted', list(what.granted)],
    ['Missing: asked, not granted', list(what.missing)],
    ['Excess: granted, not asked', list(what.excess)],
    ['Enforcement', enforcementOf(row)],
    ['Not checked', list(what.notChecked)],
    ['Variable', text(what.variable)],
    ['Fingerprint', text(token?.fingerprint)],
    ['Asked on', text(row.askedOn)],
    ['Expires', text(token?.expiresOn)],
    ['Ended', endOf(row)],
    ['Clock', clockOf(row)],
    ['Identity', text(who.connectionName, who.source, who.clientId)],
    ['Requested for', text(who.requestedFor)],
    ['Run', text(where.project, where.pipeline, where.run, where.stage, where.job)],
    ['Attempt and try', times.every((time) => time === 1) ? undefined : `attempt ${times[0]}, try ${times[1]}`],
    ['Ids in other logs', list(Object.entries(row.ids).map(([name, id]) => `${name} ${id}`))],
    ['From variables that a step could rewrite', list(where.fromVariables)],
  ];
}

function outcomeOf({ state, outcome }: TokenRow): string {
  const code = markdownText(outcome.code);
  if (state === 'issued') return 'issued';
  if (state === 'unfinished') return 'asked for; no record says what became of it';
  return `${state}: ${code}`;
}

function enforcementOf({ what }: TokenRow): string {
  if (!what.enforcement) return '';
  return what.proof ? `${what.enforcement}, ${what.proof}` : what.enforcement;
}

function endOf(row: TokenRow): string {
  const expiry = markdownText(row.token?.expiresOn ?? 'its expiry');
  const on = row.endedOn ? ` on ${markdownText(row.endedOn)}` : '';
  const why = row.endReason ? ` (${markdownText(row.endReason)})` : '';
  const texts = {
    none: 'no token was issued',
    revoked: `revoked${on}`,
    revokeFailed: `**could not be revoked**${why}: valid until ${expiry}`,
    expired: `it expired at ${expiry}${row.endedOn ? `, recorded${on}` : ''}`,
    notRevocable: `cannot be revoked: valid until ${expiry}`,
    open: `not ended yet: valid until ${expiry}`,
    unknown: 'not known',
  };
  return texts[row.end];
}

function clockOf({ skewSeconds, clocksDiffer }: TokenRow): string | undefined {
  if (!clocksDiffer || skewSeconds === undefined) return undefined;
  return `**the agent's clock is ${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? 'ahead of' : 'behind'} the issuer's**`;
}

function ledgerSection({ head, count, attachment }: SummarisedLedger): string[] {
  const name = attachment === undefined ? undefined : markdownText(attachment);
  return [
    '## Ledger',
    [
      `- Head: ${head === '' ? 'none' : markdownText(head)}, after ${count} ${count === 1 ? 'record' : 'records'}`,
      ...(name === undefined ? [] : [`- Attachment: type scoped-token.ledger, name ${name}`]),
      "- To verify: download the attachment, compare the head above with the one at the end of the stage's log, and run " +
        `\`npm run cli -- ledger verify --head ${/^[0-9a-f]{64}$/.test(head) ? head : 'HEAD'} FILE\` in a copy of the extension's source`,
    ].join('\n'),
  ];
}

const short = (value: string) => markdownText(value, 80);
