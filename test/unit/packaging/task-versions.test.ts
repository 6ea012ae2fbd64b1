import assert from 'node:assert/strict';
import { contentSha256, recordVersion, versionProblem } from '../../../packaging/task-versions.ts';

describe('a task version and its content', () => {
  const built = { name: 'Task', version: '1.0.0', sha256: 'aa' };
  const records = (sha256: string, published: boolean) => ({ Task: { '1.0.0': { sha256, published } } });

  it('agree when the recorded content is the built one', () => {
    assert.equal(versionProblem(records('aa', false), built), undefined);
    assert.equal(versionProblem(records('aa', true), built), undefined);
  });

  it('a change before publishing asks for the record to be refreshed', () => {
    assert.match(versionProblem(records('bb', false), built) ?? '', /npm run task-version" and commit/);
    assert.deepEqual(recordVersion(records('bb', false), built, false), records('aa', false));
  });

  it('a change after publishing asks for another version, and cannot be recorded', () => {
    assert.match(versionProblem(records('bb', true), built) ?? '', /raise the version/);
    assert.throws(() => recordVersion(records('bb', true), built, false), /raise the version/);
  });

  it('a new version has to be recorded, beside the old ones', () => {
    const next = { ...built, version: '1.0.1' };
    assert.match(versionProblem(records('bb', true), next) ?? '', /no recorded content/);
    const recorded = recordVersion(records('bb', true), next, false);
    assert.deepEqual(recorded['Task']?.['1.0.0'], { sha256: 'bb', published: true });
    assert.deepEqual(recorded['Task']?.['1.0.1'], { sha256: 'aa', published: false });
  });

  it('what is published stays published', () => {
    assert.deepEqual(recordVersion(records('aa', false), built, true), records('aa', true));
    assert.deepEqual(recordVersion(records('aa', true), built, false), records('aa', true));
  });

  it('content is names and bytes, in any order', () => {
    const files = (entries: Record<string, string>) =>
      contentSha256(new Map(Object.entries(entries).map(([name, text]) => [name, Buffer.from(text)])));
    assert.equal(files({ a: '1', b: '2' }), files({ b: '2', a: '1' }));
    const others = [{ a: '1' }, { a: '12' }, { a: '1', c: '2' }, { a: '2', b: '1' }, { a: '1', b: '2', c: '' }].map(
      files,
    );
    assert.equal(new Set([...others, files({ a: '1', b: '2' })]).size, 6);
  });
});
