import assert from 'node:assert/strict';
import { marked } from 'marked';
import { largestSummaryBytes, summaryMarkdown } from '../../../src/audit/markdown.ts';
import { markdownText } from '../../../src/audit/markdown-text.ts';
import { visible } from '../../../src/audit/plain-text.ts';
import type { RecordDraft } from '../../../src/audit/record.ts';
import { summarise } from '../../../src/audit/summary.ts';
import {
  endDraft,
  hostileTexts,
  intentDraft,
  issuedDraft,
  randomDraft,
  randomOf,
  recordsOf,
} from './sample-records.ts';

const head = 'ab'.repeat(32);
const ledger = { head, count: 3, attachment: 'step-1-1-main.jsonl' };
const markdownOf = (drafts: readonly RecordDraft[]) => summaryMarkdown(summarise(recordsOf(drafts)), ledger);
const htmlOf = (markdown: string) => marked.parse(markdown, { async: false, gfm: true });
const tagsOf = (html: string) => [...new Set([...html.matchAll(/<\/?([a-z0-9]+)([^>]*)>/gi)].map(([, name]) => name))];
const attributesOf = (html: string) => [...html.matchAll(/<[a-z0-9]+ ([^>]*)>/gi)].map(([, text]) => text);

function decoded(html: string): string {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return html.replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) =>
    code ? String.fromCharCode(Number(code)) : (names[name] ?? '?'),
  );
}

describe('markdownText', () => {
  it('shows foreign text exactly, as one line of text', () => {
    for (const text of hostileTexts) {
      const [, cell] = /<td>(.*?)<\/td>/s.exec(htmlOf(`| a |\n| --- |\n| ${markdownText(text)} |\n`)) ?? [];
      assert.equal(decoded(cell ?? ''), visible(text).trim(), text);
      assert.doesNotMatch(cell ?? '', /<|\n/);
      const heading = htmlOf(`## x ${markdownText(text)}`);
      assert.deepEqual(tagsOf(heading), ['h2'], text);
      assert.doesNotMatch(markdownText(text), /[|`<>[\]\n\r@]|##|:\/\//);
    }
  });

  it('cuts what is too long and says so', () => {
    assert.equal(markdownText('x'.repeat(305)), `${'x'.repeat(300)}… (5 more)`);
    assert.equal(markdownText('🦊'.repeat(4), 2), '🦊🦊… (2 more)');
  });
});

describe('summaryMarkdown', () => {
  it('tells asked, granted, enforcement, proof, expiry, end, identity and the ledger of a token', () => {
    const markdown = markdownOf([intentDraft, issuedDraft, endDraft]);
    const text = decoded(markdown);
    for (const fact of [
      '## Read last logs · storage · https://contosologs.blob.core.windows.net\n',
      '| Outcome | issued |',
      '| Purpose | compare with the last release |',
      '| Asked | read,list on logs/2026/** |',
      '| Granted | read,list on logs/2026/** |',
      '| Enforcement | issuer, constructed |',
      '| Variable | SCOPED_TOKEN |',
      '| Fingerprint | 00112233aabbccdd |',
      '| Expires | 2026-11-25T11:00:00Z |',
      '| Ended | cannot be revoked: valid until 2026-11-25T11:00:00Z |',
      'contoso-logs-reader, workloadIdentityFederation',
      'Use not observed here',
      '- StorageBlobLogs, requests with it: `StorageBlobLogs | where ',
      `- Head: ${head}, after 3 records`,
      'name step-1-1-main.jsonl',
      `npm run cli -- ledger verify --head ${head} FILE`,
    ]) {
      assert.ok(text.includes(fact), `${fact} in\n${text}`);
    }
    assert.doesNotMatch(text, /Excess|Missing|Clock/);
    assert.doesNotMatch(text.split('## Ledger')[0]?.split('\n')[0] ?? '', /[0-9a-f]{8}-/);
  });

  it('flags clocks that differ', () => {
    const skewed = { ...issuedDraft, issuer: { skewSeconds: -181 } };
    assert.match(markdownOf([intentDraft, skewed]), /\*\*the agent's clock is 181 s behind the issuer's\*\*/);
  });

  it('gives every token a heading of its own that people can read', () => {
    const intents = [
      intentDraft,
      { ...intentDraft, recordId: '2', intentId: '2', where: { ...intentDraft.where, try: 2 } },
      { ...intentDraft, recordId: '3', intentId: '3', where: { ...intentDraft.where, jobAttempt: 2 } },
      { ...intentDraft, recordId: '4', intentId: '4' },
      { ...intentDraft, recordId: '5', intentId: '5', what: { ...intentDraft.what, target: 'containerRegistry' } },
    ];
    const headings = markdownOf(intents).match(/^## .*$/gm) ?? [];
    const rest = 'storage · https&#58;//contosologs.blob.core.windows.net';
    assert.deepEqual(headings, [
      `## Read last logs · ${rest}`,
      `## Read last logs · ${rest} · try 2`,
      `## Read last logs · ${rest} · attempt 2`,
      `## Read last logs · ${rest} (2)`,
      '## Read last logs · containerRegistry · https&#58;//contosologs.blob.core.windows.net',
      '## Ledger',
    ]);
  });

  it('says when nothing was asked for', () => {
    const markdown = summaryMarkdown(summarise([]), { head: '', count: 0 });
    assert.match(markdown, /No token was asked for/);
    assert.match(markdown, /Head: none, after 0 records/);
  });

  it('is headings, tables, lists and nothing else, whatever the texts are', () => {
    const random = randomOf(77);
    const allowed = ['h2', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'ul', 'li', 'strong', 'code'];
    for (let run = 0; run < 40; run += 1) {
      const drafts = Array.from({ length: 1 + Math.floor(random() * 6) }, (_, index) => ({
        ...randomDraft(random),
        intentId: `intent ${index % 3}`,
      }));
      const markdown = markdownOf(drafts);
      assert.doesNotMatch(markdown, /##vso|##\[|[\r\u2028\u2029]/i);
      assert.doesNotMatch(markdown.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}]/u);
      const html = htmlOf(markdown);
      assert.deepEqual(
        tagsOf(html).filter((tag) => !allowed.includes(tag ?? '')),
        [],
        html,
      );
      assert.deepEqual(attributesOf(html), []);
      const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
      assert.equal((html.match(/<tr>/g) ?? []).length, rows.filter((line) => !/^(\| --- )+\|$/.test(line)).length);
      for (const [index, row] of rows.entries()) {
        const cells = row.split('|').length;
        assert.ok(cells === 4 || cells === 8, `row ${index}: ${row}`);
      }
    }
  });

  it('stays under 256 KB, counts what it does not show, and still ends with the ledger', () => {
    const long = '|'.repeat(400);
    const many = Array.from({ length: 100 }, (_, index) => ({
      ...issuedDraft,
      recordId: `r${index}`,
      intentId: `i${index}`,
      purpose: long,
      what: {
        ...issuedDraft.what,
        resource: long,
        asked: Array(30).fill(`read on ${long}`),
        excess: Array(30).fill(long),
      },
      where: { ...issuedDraft.where, step: long },
    }));
    const markdown = markdownOf(many);
    assert.ok(Buffer.byteLength(markdown) < largestSummaryBytes);
    assert.ok(Buffer.byteLength(markdown) > largestSummaryBytes / 2);
    const shown = (markdown.match(/^## /gm) ?? []).length - 2;
    assert.ok(shown > 0);
    assert.ok(markdown.includes(`## ${100 - shown} more\n`));
    assert.match(markdown, /## Ledger\n\n- Head: [^\n]+\n.*\n- To verify: [^\n]+\n$/);
    assert.ok(markdownOf(many.slice(0, 1)).includes('| Excess'));
  });
});
