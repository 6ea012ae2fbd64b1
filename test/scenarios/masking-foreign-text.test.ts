import assert from 'node:assert/strict';
import { marked, type Token, type Tokens } from 'marked';
import { readRecords, verifyLedger } from '../../src/audit/ledger.ts';
import type { Connection } from '../agent/job-server.ts';
import type { RunResult } from '../agent/run-result.ts';
import {
  headsOf,
  ledgersOf,
  outputsOf,
  pipelineOf,
  printed,
  scriptStep,
  storageStep,
  variablesSet,
} from './pipelines.ts';
import {
  errorOf,
  exampleConnections,
  labForSuite,
  runScenario,
  scenarioTimeoutMilliseconds,
  stageOf,
} from './scenario.ts';

// What somebody might write into a name that others see: commands of the agent, their escapes, markup, a right-to-left mark.
const command = '##vso[task.setvariable variable=PWNED]yes';
const nasty = [
  command,
  '##vso[task.complete result=Failed;]done',
  '##[error]a lie',
  ']; %0A##vso[task.setvariable variable=PWNED]yes %0D%5D%3B%AZP25',
  '| cell | `code` | <img src=x onerror=alert(1)> <script>alert(1)</script>',
  '[link](javascript:alert(1)) ![picture](https://fabrikam.example/x.png) https://fabrikam.example',
  '\u202Edetcerid \u200F\u2066 **bold** # heading',
].join(' ');

const connection: Connection = {
  ...(exampleConnections.find(({ name }) => name === 'sc-logs') as Connection),
  id: '6f1c1f6e-3f55-4a0e-9a39-5b1f3a5c0aff',
  name: `sc ${nasty}`,
};

/** Everything that a Markdown renderer would make of a text. */
function tokensOf(markdown: string): readonly Token[] {
  const all: Token[] = [];
  marked.walkTokens(marked.lexer(markdown), (token) => {
    all.push(token);
  });
  return all;
}

describe('foreign text in names', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  let run: RunResult;
  before(async () => {
    run = await runScenario(suite.lab, {
      connections: [...exampleConnections, connection],
      variables: {
        'build.definitionName': `pipeline ${nasty}`,
        'build.sourceBranch': `refs/heads/${nasty}`,
        'build.repository.name': `repository ${nasty}`,
        'build.requestedFor': `requester ${nasty}`,
        'agent.name': `agent ${nasty}`,
        'system.stageDisplayName': `stage ${nasty}`,
      },
      pipeline: pipelineOf(
        storageStep(
          {
            name: 'logs',
            scopes: 'read on logs',
            azureConnection: connection.id,
            purpose: `first line ${nasty}\n${command}\r\n##vso[task.complete result=Failed;]last line`,
          },
          { displayName: `Token ${nasty}` },
        ),
        scriptStep('echo "used: $(printf %s "$SAS" | sha256sum | cut -c1-16)"', { SAS: '$(STORAGE_SAS)' }),
      ),
    });
  });

  it('decides nothing: the step succeeds, no other variable is set, nothing is warned about', () => {
    assert.equal(run.result, 'Succeeded');
    for (const stage of ['pre', 'main', 'post'] as const) {
      assert.equal(stageOf(run, 'logs', stage).result, 'Succeeded');
      assert.deepEqual(stageOf(run, 'logs', stage).issues, []);
    }
    assert.deepEqual(variablesSet(run), ['STORAGE_SAS']);
    assert.equal(printed(run, 'used'), outputsOf(stageOf(run, 'logs'))['fingerprint']);
  });

  it('shows in the log, as text', () => {
    // The agent prints a step's name by itself, in the lines that begin and end it.
    const lines = run.log.filter((line) => !/^##\[section\](Starting|Finishing): /.test(line));
    assert.deepEqual(
      lines.filter((line) => line.includes('##vso')),
      [],
    );
    const formats = lines.filter((line) => /##\[/.test(line));
    for (const line of formats) assert.match(line, /^##\[(section|group|endgroup)\]/);
    const purpose = lines.filter((line) => line.startsWith('  purpose '));
    assert.equal(purpose.length, 2, 'once for each record');
    assert.match(purpose[0] ?? '', /first line .*last line/);
    assert.ok(!/[\p{Cf}]/u.test(lines.join('')), 'no invisible character turns a line around');
  });

  it('stands in the ledger as it was given', () => {
    const [main, final] = (['main', 'final'] as const).map((kind) => ledgersOf(run, { kind })[0]?.content ?? '');
    const heads = headsOf(run);
    assert.equal(verifyLedger(main ?? '', { head: heads[0] }).state, 'consistent');
    assert.equal(verifyLedger(final ?? '', { head: heads[1] }).state, 'consistent');
    const { records, problems } = readRecords(final ?? '');
    assert.deepEqual(problems, []);
    const [, issued] = records;
    assert.equal(issued?.where.branch, `refs/heads/${nasty}`);
    assert.equal(issued?.where.repository, `repository ${nasty}`);
    assert.ok(issued?.purpose?.startsWith(`first line ${nasty}`));
    assert.ok(!(final ?? '').includes('##'), 'whoever prints a line of it prints no command');
    assert.equal(issued?.who.connectionName, connection.name);
  });

  it('does nothing in the summary: no markup, no link, no picture, no cell of its own', () => {
    const [summary] = run.summary;
    assert.match(summary?.name ?? '', /^[\w .-]+\.md$/);
    const tokens = tokensOf(summary?.content ?? '');
    const kinds = new Set(tokens.map(({ type }) => type));
    for (const kind of ['html', 'link', 'image', 'strong', 'em', 'del', 'blockquote', 'code', 'hr']) {
      assert.ok(!kinds.has(kind), `no ${kind}`);
    }
    const headings = tokens.filter((token): token is Tokens.Heading => token.type === 'heading');
    assert.equal(headings.length, 2, 'the token, and the ledger');
    assert.match(headings[0]?.raw ?? '', /^## Token /);
    const tables = tokens.filter((token): token is Tokens.Table => token.type === 'table');
    assert.equal(tables.length, 1);
    for (const row of tables[0]?.rows ?? []) assert.equal(row.length, 2);
    const html = marked.parse(summary?.content ?? '', { async: false });
    assert.ok(!/<(img|script|a)\b/i.test(html));
    assert.ok(!/[\p{Cf}]/u.test(summary?.content ?? ''));
  });

  it('decides nothing in a step that fails: its text is one error', async () => {
    const failed = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({
          name: 'logs',
          scopes: `##vso[task.complete result=Succeeded;]x on ${command}\nread on logs`,
          resource: `https://contosodata.blob.core.windows.net/${nasty}`,
          variable: `A]${command}`,
        }),
      ),
    });
    const main = stageOf(failed, 'logs');
    assert.equal(errorOf(main).code, 'INPUT_INVALID');
    assert.equal(failed.result, 'Failed');
    assert.deepEqual(variablesSet(failed), []);
    const lines = failed.log.filter((line) => !line.startsWith('##[section]'));
    assert.deepEqual(
      lines.filter((line) => line.includes('##vso')),
      [],
    );
  });
});
