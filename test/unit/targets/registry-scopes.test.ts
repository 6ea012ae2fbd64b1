import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readRepositories, rightsLines, subtractRights } from '../../../src/targets/container-registry/scopes.ts';
import { scopesOf } from './scopes-of.ts';

const read = (text: string) => readRepositories(scopesOf(text));
const lines = (text: string) => {
  const { rights, mistakes } = read(text);
  assert.deepEqual(mistakes, [], text);
  return rightsLines(rights);
};
const mistakesOf = (text: string) => {
  const { mistakes } = read(text);
  assert.ok(mistakes.length > 0, text);
  return mistakes.join('\n');
};

describe('registry scopes', () => {
  it('are actions on repositories; lines for the same one are joined', () => {
    assert.deepEqual(lines('pull on team/app\npull,push on team/app2\npush,pull on team/app'), [
      'pull,push on team/app',
      'pull,push on team/app2',
    ]);
    assert.deepEqual(lines('pull,push,delete,metadata_read,metadata_write on a'), [
      'pull,push,delete,metadata_read,metadata_write on a',
    ]);
  });

  it('name repositories as the registry does', () => {
    for (const name of ['a', 'a1', 'team/app', 'a.b_c__d-e---f/0', 'a'.repeat(255), 'constructor'])
      assert.equal(read(`pull on ${name}`).mistakes.length, 0, name);
    const names = [
      'Team/app',
      'team//app',
      '/team',
      'team/',
      'team/app:latest',
      'team/app@sha256:abc',
      'contoso.azurecr.io/team:1',
      '*',
      'team/*',
      '-a',
      'a-',
      'a..b',
      'a___b',
      'a b',
      'ä',
      'team/../app',
      'a,b',
      '__proto__',
      'a'.repeat(256),
    ];
    for (const name of names) assert.match(mistakesOf(`pull on ${name}`), /is not a repository name/, name);
    assert.match(mistakesOf(`pull on ${'a-'.repeat(50_000)}`), /is not a repository name/);
  });

  it('hold known actions only, and never a wildcard', () => {
    for (const action of ['*', 'Pull', 'read', 'catalog', '__proto__', "'pull,push'"]) {
      assert.match(mistakesOf(`${action} on team/app`), /is none of pull, push, delete/, action);
    }
    assert.match(mistakesOf('pull'), /^line 1: expected a repository, such as "pull on team\/app"/);
  });

  it('show the registry’s own syntax in this grammar', () => {
    const rows = {
      'repository:team/app:pull': 'pull on team/app',
      'repository:team/app:pull,push': 'pull,push on team/app',
    };
    for (const [pasted, shown] of Object.entries(rows)) {
      assert.match(mistakesOf(pasted), new RegExp(`write "${shown}"`));
      assert.deepEqual(lines(shown), [shown], 'what is shown can be pasted');
    }
    assert.match(mistakesOf('repository:a:pull on b'), /is none of/);
    assert.match(mistakesOf('registry:catalog:*'), /expected a repository/);
  });

  it('report the mistakes of all lines together', () => {
    const { mistakes } = read('pull\nread on A\nrepository:a:pull\npull on b');
    assert.deepEqual(
      mistakes.map((mistake) => mistake.slice(0, 7)),
      ['line 1:', 'line 2:', 'line 2:', 'line 3:'],
    );
  });
});

describe('the difference of rights', () => {
  const of = (...rights: [string, string][]) =>
    rights.map(([repository, actions]) => ({ repository, actions: actions === '' ? [] : actions.split(',') }));

  it('is what one has and the other has not, by exact name', () => {
    const rows: [[string, string][], [string, string][], string[]][] = [
      [[['a', 'pull,push']], [['a', 'pull']], ['push on a']],
      [[['a', 'pull']], [['a', 'pull,push']], []],
      [[['a', 'pull']], [['a2', 'pull']], ['pull on a']],
      [[['a2', 'pull']], [['a', 'pull']], ['pull on a2']],
      [[['a', 'Pull']], [['a', 'pull']], ['Pull on a']],
      [[['a', '*']], [['a', 'pull,push']], ['* on a']],
      [[['a', 'pull']], [['a', '*']], ['pull on a']],
      [
        [
          ['a', 'pull'],
          ['a', 'push'],
        ],
        [
          ['a', 'push'],
          ['a', 'pull'],
        ],
        [],
      ],
      [[['a', '']], [], []],
      [[], [['a', 'pull']], []],
      [[['__proto__', 'pull']], [], ['pull on __proto__']],
    ];
    for (const [left, right, expected] of rows) {
      assert.deepEqual(rightsLines(subtractRights(of(...left), of(...right))), expected, JSON.stringify([left, right]));
    }
  });

  it('holds for any rights what holds for sets', () => {
    const actions = fc.subarray(['pull', 'push', 'delete', '*']);
    const rights = fc.array(fc.record({ repository: fc.constantFrom('a', 'a2', 'b', 'A'), actions }), { maxLength: 4 });
    const pairs = (some: readonly { repository: string; actions: readonly string[] }[]) =>
      new Set(some.flatMap(({ repository, actions: all }) => all.map((action) => `${action} ${repository}`)));
    fc.assert(
      fc.property(rights, rights, (left, right) => {
        const expected = [...pairs(left)].filter((pair) => !pairs(right).has(pair)).sort();
        assert.deepEqual([...pairs(subtractRights(left, right))].sort(), expected);
        assert.deepEqual(subtractRights(left, left), []);
      }),
      { numRuns: 1_000 },
    );
  });
});
