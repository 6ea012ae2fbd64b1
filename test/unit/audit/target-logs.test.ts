import assert from 'node:assert/strict';
import { kqlText, type QueryFacts, signInQueries, targetQueries } from '../../../src/audit/target-logs.ts';
import { hostileTexts, issuedDraft } from './sample-records.ts';

const facts: QueryFacts = {
  who: issuedDraft.who,
  what: issuedDraft.what,
  token: { fingerprint: 'x', expiresOn: '2026-11-25T11:00:00Z', uti: 'k3yUti' },
  askedOn: '2026-11-25T10:00:00Z',
  ids: issuedDraft.issuer?.ids ?? {},
};
const registry: QueryFacts = {
  ...facts,
  what: {
    ...facts.what,
    target: 'containerRegistry',
    resource: 'contoso.azurecr.io',
    asked: ['pull on team/app', 'pull,push on team/tools'],
    granted: ['pull on team/app'],
  },
  ids: {},
};

/** The parts of a query outside of literals, and the literals, read by Kusto's rules for double-quoted text. */
function tokensOf(kql: string): { code: string; texts: string[] } {
  const texts: string[] = [];
  const code = kql.replace(/"((?:[^"\\\n]|\\.)*)"/g, (_, literal: string) => {
    texts.push(
      literal.replace(/\\u([0-9a-f]{4})/g, (__, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    );
    return '""';
  });
  return { code, texts };
}

describe('kqlText', () => {
  it('writes foreign text as one literal that gives it back, and that means nothing to others', () => {
    for (const text of [...hostileTexts, '', 'contoso.azurecr.io/team/app']) {
      const literal = kqlText(text);
      assert.deepEqual(tokensOf(literal), { code: '""', texts: [text] });
      assert.match(literal, /^"[ -~]*"$/);
      assert.doesNotMatch(literal, /[`<>[\]|#*'&]/);
    }
  });
});

describe('targetQueries', () => {
  it('finds the requests of a shared access signature by its correlation id, in its time', () => {
    assert.deepEqual(
      targetQueries(facts).map(({ kql }) => kql.split('\n')),
      [
        [
          'StorageBlobLogs',
          '| where TimeGenerated between (datetime(2026-11-25T09:55:00.000Z) .. datetime(2026-11-25T11:05:00.000Z))',
          '| where AccountName =~ "contosologs"',
          '| where AuthenticationType == "DelegationSas"',
          '| where Uri contains "scid=0b0e5f1e-6f0f-4f0b-9f55-1d1f1b1c2d01"',
          '| project TimeGenerated, OperationName, StatusCode, StatusText, Uri, CallerIpAddress, UserAgentHeader',
        ],
      ],
    );
  });

  it('finds them by place where there is no correlation id, and says so', () => {
    const [query] = targetQueries({ ...facts, ids: {} });
    assert.match(query?.kql ?? '', /Uri contains "\/logs\/2026\/"\n/);
    assert.match(query?.finds ?? '', /in its time and place/);
    const spaced = { ...facts, ids: {}, what: { ...facts.what, granted: [], asked: ['read on logs/last year.json'] } };
    assert.match(targetQueries(spaced)[0]?.kql ?? '', /Uri contains "\/logs\/last%20year.json"/);
  });

  it('finds what was done in the repositories of a registry token, and its sign-ins', () => {
    const [events, logins, ...more] = targetQueries(registry);
    assert.equal(more.length, 0);
    assert.equal(events?.table, 'ContainerRegistryRepositoryEvents');
    assert.match(events?.kql ?? '', /LoginServer =~ "contoso.azurecr.io"\n\| where Repository in~ \("team\/app"\)\n/);
    assert.equal(logins?.table, 'ContainerRegistryLoginEvents');
    assert.match(logins?.kql ?? '', new RegExp(`Identity in~ \\("${facts.who.clientId}", "${facts.who.objectId}"\\)$`));
  });

  it('has none for another target', () => {
    assert.deepEqual(targetQueries({ ...facts, what: { ...facts.what, target: 'oauth' } }), []);
  });

  it('leaves out a time that cannot be read, instead of a query that cannot run', () => {
    const [query] = targetQueries({ ...facts, token: { fingerprint: 'x', expiresOn: 'never' } });
    assert.doesNotMatch(query?.kql ?? '', /TimeGenerated between/);
  });

  it('has no foreign text outside of literals', () => {
    const normal = (query: QueryFacts) =>
      [...targetQueries(query), ...signInQueries(query)].map(({ kql }) => tokensOf(kql).code);
    for (const text of hostileTexts) {
      for (const base of [facts, { ...facts, ids: {} }, registry]) {
        const one = { ...base.what, granted: ['pull on x'], resource: 'https://contosologs.example' };
        const hostile = { ...base.what, granted: [`pull on ${text}`], resource: text };
        const ids = { scid: text, correlation_id: text };
        const who = { clientId: text };
        const token = { fingerprint: text, uti: text, expiresOn: '2026-11-25T11:00:00Z' };
        const wanted = normal({
          ...base,
          what: one,
          ids: { scid: 'x', correlation_id: 'x' },
          who: { clientId: 'x' },
          token,
        });
        const found = normal({ ...base, what: hostile, ids, who, token });
        // a resource that is no scope leaves a condition out; nothing may come in
        for (const [index, code] of found.entries()) {
          const lines = code.split('\n');
          assert.ok(
            lines.every((line) => wanted[index]?.split('\n').includes(line)),
            code,
          );
        }
      }
    }
  });
});

describe('signInQueries', () => {
  it('joins by the request id sent to Entra and by the token id', () => {
    const [query] = signInQueries(facts);
    assert.match(query?.kql ?? '', /CorrelationId == "0b0e5f1e[^"]*" or UniqueTokenIdentifier == "k3yUti"$/);
    assert.match(query?.kql ?? '', /^union isfuzzy=true AADServicePrincipalSignInLogs, AADManagedIdentitySignInLogs\n/);
  });

  it('knows the id under whatever spelling of its name', () => {
    const { token: _token, ...untokened } = facts;
    for (const name of ['client-request-id', 'clientRequestId', 'correlation_id', 'correlationId']) {
      assert.match(signInQueries({ ...untokened, ids: { [name]: 'abc' } })[0]?.kql ?? '', /CorrelationId == "abc"$/);
    }
    assert.deepEqual(signInQueries({ ...untokened, ids: { trace_id: 'abc' } }), []);
  });
});
