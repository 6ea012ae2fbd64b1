import { appendRecord, type Ledger, startLedger } from '../../../src/audit/ledger.ts';
import type { AuditRecord, RecordDraft } from '../../../src/audit/record.ts';

/** A record of a storage token that was issued. */
export const issuedDraft: RecordDraft = {
  event: 'issued',
  recordId: '0b0e5f1e-6f0f-4f0b-9f55-1d1f1b1c2d02',
  intentId: '0b0e5f1e-6f0f-4f0b-9f55-1d1f1b1c2d01',
  time: '2026-11-25T10:00:01.250Z',
  monotonicMilliseconds: 812.5,
  who: {
    requestedFor: 'Release bot',
    clientId: '3f8a1b66-0d5e-4a0e-8f0e-5e1d2c3b4a59',
    objectId: '9d6f2f3c-5a43-4a0e-9f4f-0a1b2c3d4e5f',
    tenantId: '72f988bf-0000-4000-8000-2d7cd011db47',
    connectionId: '5c1d2e3f-1111-4222-8333-444455556666',
    connectionName: 'contoso-logs-reader',
    source: 'workloadIdentityFederation',
  },
  what: {
    target: 'storage',
    resource: 'https://contosologs.blob.core.windows.net',
    asked: ['read,list on logs/2026/**'],
    granted: ['read,list on logs/2026/**'],
    missing: [],
    excess: [],
    enforcement: 'issuer',
    proof: 'constructed',
    variable: 'SCOPED_TOKEN',
    askedLifetimeSeconds: 3600,
  },
  where: {
    organisation: 'contoso',
    projectId: 'a1a1a1a1-0000-4000-8000-000000000001',
    planId: 'a1a1a1a1-0000-4000-8000-000000000002',
    jobId: 'a1a1a1a1-0000-4000-8000-000000000003',
    stepId: 'a1a1a1a1-0000-4000-8000-000000000004',
    project: 'Shop',
    pipeline: 'release',
    run: '20261125.1',
    stage: 'Deploy',
    job: 'Logs',
    jobAttempt: 1,
    try: 1,
    step: 'Read last logs',
    branch: 'refs/heads/main',
  },
  purpose: 'compare with the last release',
  outcome: { code: 'OK' },
  token: { fingerprint: '00112233aabbccdd', expiresOn: '2026-11-25T11:00:00Z', uti: 'k3yUti' },
  issuer: {
    date: '2026-11-25T10:00:01Z',
    skewSeconds: 1,
    ids: {
      'client-request-id': '0b0e5f1e-6f0f-4f0b-9f55-1d1f1b1c2d01',
      scid: '0b0e5f1e-6f0f-4f0b-9f55-1d1f1b1c2d01',
    },
  },
};

const { token: _token, issuer: _issuer, ...beforeIssue } = issuedDraft;

/** The record before it. */
export const intentDraft: RecordDraft = {
  ...beforeIssue,
  event: 'intent',
  recordId: issuedDraft.intentId,
  time: '2026-11-25T10:00:00.000Z',
  monotonicMilliseconds: 20,
  what: {
    target: issuedDraft.what.target,
    resource: issuedDraft.what.resource,
    asked: issuedDraft.what.asked,
  },
};

/** The record after it. */
export const endDraft: RecordDraft = {
  ...issuedDraft,
  event: 'notRevocable',
  recordId: '0b0e5f1e-6f0f-4f0b-9f55-1d1f1b1c2d03',
  time: '2026-11-25T10:05:00.000Z',
  outcome: { code: 'OK', reason: 'a signature cannot be revoked alone' },
};

/** A ledger of these drafts. */
export function ledgerOf(drafts: readonly RecordDraft[], secrets: readonly string[] = []): Ledger {
  return drafts.reduce((ledger, draft) => appendRecord(ledger, draft, secrets), startLedger());
}

/** Records of these drafts, chained. */
export const recordsOf = (drafts: readonly RecordDraft[]): readonly AuditRecord[] => ledgerOf(drafts).records;

/** A repeatable source of numbers in [0, 1): mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Texts that try to be something else wherever they are put. */
export const hostileTexts: readonly string[] = [
  '##vso[task.setvariable variable=PATH]x',
  '##VSO[task.complete result=Succeeded]',
  '###vso[a.b]c',
  '##[error]not an error',
  'a\nb\r\nc\rd',
  'a\u2028b\u2029c\u0085d',
  '| a | b |\n| --- | --- |',
  '`code` ``more``` ````',
  '<script>alert(1)</script> <!-- x --> &lt;',
  '[click](https://fabrikam.example/x) ![img](https://fabrikam.example/y)',
  'https://fabrikam.example www.fabrikam.example someone@fabrikam.example',
  '"; StorageBlobLogs | take 1 //',
  "' or 1==1 \\",
  '\\" | union * //\\',
  '# heading\n\n- list\n1. list\n> quote',
  '*bold* _it_ ~~no~~ $x$ {y} ^z',
  '\u202egnp.exe\u202c \u200b\u2066x\u2069 \ufeff',
  '\u0000\u0007\u001b[31mred\u001b[0m\u009b31m',
  '\ud800 lone \udc00',
  '```\nfence\n```',
  '\\| \\\\| \\',
  '__proto__',
  '日本語 žluťoučký 🦊',
  '%0A%0D%3B%5D%AZP25',
];

/** A draft with random texts, many of them hostile. */
export function randomDraft(random: () => number, base: RecordDraft = issuedDraft): RecordDraft {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const text = () => {
    const parts = Array.from({ length: Math.floor(random() * 3) + 1 }, () =>
      random() < 0.6 ? pick(hostileTexts) : String.fromCharCode(...Array.from({ length: 5 }, () => random() * 65536)),
    );
    return parts.join(pick(['', ' ', ',']));
  };
  const texts = () => Array.from({ length: Math.floor(random() * 4) }, text);
  const id = () => Array.from({ length: 8 }, () => Math.floor(random() * 16).toString(16)).join('');
  return {
    ...base,
    event: pick(['intent', 'issued', 'failed', 'cancelled', 'revoked', 'revokeFailed', 'expired', 'notRevocable']),
    recordId: id(),
    who: { ...base.who, requestedFor: text(), connectionName: text(), assertionSubject: text() },
    what: {
      ...base.what,
      target: pick(['storage', 'containerRegistry', text()]),
      resource: text(),
      asked: texts(),
      granted: texts(),
      excess: texts(),
      variable: text(),
    },
    where: { ...base.where, step: text(), branch: text(), repository: text() },
    purpose: text(),
    outcome: { code: 'TARGET_REFUSED', providerCode: text(), reason: text() },
    issuer: { ids: { [text()]: text(), scid: text() }, skewSeconds: Math.floor(random() * 600) - 300 },
  };
}
