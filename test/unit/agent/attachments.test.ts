import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProbe, runTimeoutMilliseconds, stepOf } from './fake-extension.ts';
import { FakeJobServer } from './fake-job-server.ts';

const attach = (name: string, file: string) =>
  `console.log('##vso[task.addattachment type=ledger;name=${name}]' + process.env.AGENT_TEMPDIRECTORY + '/${file}');`;
const prelude = "import { rmSync, writeFileSync } from 'node:fs'; const temp = process.env.AGENT_TEMPDIRECTORY;";

describe('attachments', () => {
  it('are stored under the record of their stage, with the file as it is at the end', async () => {
    const server = new FakeJobServer();
    const source = (stage: string) =>
      `${prelude} writeFileSync(temp + '/${stage}.json', '${stage}'); ${attach(stage, `${stage}.json`)}`;
    const result = await runProbe({ task: { main: source('main'), post: source('post') }, server });
    assert.deepEqual(
      server.stored.map(({ recordId, type, name, text }) => [recordId, type, name, text]),
      [
        [stepOf(result, 'main').recordId, 'ledger', 'main', 'main'],
        [stepOf(result, 'post').recordId, 'ledger', 'post', 'post'],
      ],
    );
    assert.deepEqual(
      result.attachments.map(({ stage, content }) => [stage, content]),
      [
        ['main', 'main'],
        ['post', 'post'],
      ],
    );
  });

  it('are read late: a file that was removed is lost, one that was rewritten is stored rewritten', async () => {
    const main = `${prelude}
      writeFileSync(temp + '/gone.json', 'x'); ${attach('gone', 'gone.json')}
      writeFileSync(temp + '/again.json', 'first'); ${attach('again', 'again.json')}
      setTimeout(() => { rmSync(temp + '/gone.json'); writeFileSync(temp + '/again.json', 'second'); }, 300);`;
    const result = await runProbe({ task: { main } });
    assert.deepEqual(
      result.lostAttachments.map(({ name }) => name),
      ['gone'],
    );
    assert.deepEqual(
      result.attachments.map(({ name, content }) => [name, content]),
      [['again', 'second']],
    );
    assert.equal(result.result, 'Succeeded');
  });

  it('are read a second or two after the command when the job goes on', async () => {
    const server = new FakeJobServer();
    let attachedAt = 0;
    const log = (line: string) => {
      if (line === 'attached') {
        attachedAt = performance.now();
      }
    };
    const main = `${prelude} writeFileSync(temp + '/a.json', 'early'); ${attach('a', 'a.json')} console.log('attached');`;
    const pipeline = 'steps:\n- task: Probe@1\n- bash: sleep 2.5; echo late > "$AGENT_TEMPDIRECTORY/a.json"\n';
    const result = await runProbe({ task: { main }, server, pipeline, log });
    assert.equal(result.attachments[0]?.content, 'early');
    const waited = (server.stored[0]?.at ?? 0) - attachedAt;
    assert.ok(waited >= 950 && waited < 2400, `${waited}`);
  });

  it('of one record, type and name are one: the last wins', async () => {
    const main = `${prelude} for (const n of ['1', '2']) { writeFileSync(temp + '/' + n, n); console.log('##vso[task.addattachment type=t;name=same]' + temp + '/' + n); }`;
    const result = await runProbe({ task: { main } });
    assert.deepEqual(
      result.attachments.map(({ content }) => content),
      ['2'],
    );
  });

  it('that Windows would refuse are a defect', async () => {
    const main = `${prelude} writeFileSync(temp + '/a', 'x'); ${attach('a:b', 'a')}`;
    const result = await runProbe({ task: { main } });
    assert.match(result.defects[0] ?? '', /the attachment's name is refused on Windows agents/);
  });

  it('that are summaries stand apart, by file name', async () => {
    const main = `${prelude} writeFileSync(temp + '/token.md', '# Token'); console.log('##vso[task.uploadsummary]' + temp + '/token.md');`;
    assert.deepEqual((await runProbe({ task: { main } })).summary, [{ name: 'token.md', content: '# Token' }]);
  });
}).timeout(runTimeoutMilliseconds);

describe('folders of a run', () => {
  it('are removed at the end, read-only task folders included, unless they are to be kept', async () => {
    const gone = await runProbe({ task: { main: '' } });
    assert.equal(existsSync(gone.workFolder), false);
    const kept = await runProbe({ task: { main: '' }, keep: true });
    assert.ok(existsSync(kept.workFolder));
    rmSync(kept.workFolder, { recursive: true });
  });

  it('may be the caller’s own; a task folder that was written to is a defect', async () => {
    const workFolder = await mkdtemp(join(tmpdir(), 'agent-root-'));
    const main =
      "import { chmodSync, writeFileSync } from 'node:fs'; chmodSync(import.meta.dirname, 0o755); writeFileSync(import.meta.dirname + '/cache', 'x');";
    const result = await runProbe({ task: { main }, workFolder });
    assert.deepEqual(readdirSync(workFolder).sort(), ['_work', 'home']);
    assert.match(result.defects[0] ?? '', /a file of a task folder was written: .*\/cache$/);
    rmSync(workFolder, { recursive: true });
  });
}).timeout(runTimeoutMilliseconds);
