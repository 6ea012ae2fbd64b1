import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeIo } from '../../../src/io/node-io.ts';
import { failureOf } from './outcome.ts';

describe('the real world', () => {
  const controller = new AbortController();
  const io = nodeIo({ warn: () => undefined, mask: () => undefined }, controller.signal);
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scoped-token-files-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('creates a file that only its owner can read, and never writes over one', async () => {
    const path = io.files.join(folder, 'ledger.jsonl');
    assert.equal(path, join(folder, 'ledger.jsonl'));
    await io.files.create(path, 'ü\n');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await assert.rejects(io.files.create(path, 'other'), { code: 'EEXIST' });
    await io.files.append(path, '🦊\n');
    assert.equal(await io.files.read(path), 'ü\n🦊\n');
    await assert.rejects(io.files.read(io.files.join(folder, 'absent')), { code: 'ENOENT' });
    assert.deepEqual(await readdir(folder), ['ledger.jsonl']);
  });

  it('reads files only: no link, no folder, no pipe that nobody writes to', async () => {
    const file = io.files.join(folder, 'file');
    await io.files.create(file, 'text');
    await symlink(file, join(folder, 'link'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    for (const name of ['link', 'pipe', '.']) await assert.rejects(io.files.read(join(folder, name)), name);
  });

  it('tells the time, and a time that only goes on', () => {
    assert.ok(Math.abs(io.clock.now().getTime() - Date.now()) < 1_000);
    const before = io.clock.monotonicMilliseconds();
    assert.ok(io.clock.monotonicMilliseconds() >= before);
  });

  it('makes a new UUID every time', () => {
    const first = io.uuid();
    assert.match(first, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.notEqual(io.uuid(), first);
  });

  it('sleeps, and wakes up when it is cancelled', async () => {
    await io.clock.sleep(1);
    assert.equal(io.cancelled.aborted, false);
    const asleep = failureOf(io.clock.sleep(600_000), 'CANCELLED');
    controller.abort();
    await asleep;
    assert.equal(io.cancelled.aborted, true);
    await failureOf(io.clock.sleep(600_000), 'CANCELLED');
    await failureOf(
      io.http.send({
        peer: 'a peer',
        method: 'GET',
        url: 'https://contoso.example/',
        allowedHosts: ['contoso.example'],
      }),
      'CANCELLED',
    );
  });
});
