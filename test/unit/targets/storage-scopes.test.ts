import assert from 'node:assert/strict';
import { lettersOf, readStorageRights, resourceText, rightsLine } from '../../../src/targets/storage/scopes.ts';
import { scopesOf } from './scopes-of.ts';

const read = (text: string) => readStorageRights(scopesOf(text));
const resource = (text: string) => {
  const { rights, mistakes } = read(text);
  assert.deepEqual(mistakes, [], text);
  return rights?.resource;
};
const mistakeOf = (text: string) => {
  const { rights, mistakes } = read(text);
  assert.equal(rights, undefined, text);
  assert.equal(mistakes.length, 1, `${text}: ${JSON.stringify(mistakes)}`);
  return mistakes[0] ?? '';
};

describe('storage scopes', () => {
  it('name a container, a blob or a directory', () => {
    assert.deepEqual(resource('read on logs'), { kind: 'container', container: 'logs', path: '' });
    assert.deepEqual(resource('read on logs/2026/app.json'), {
      kind: 'blob',
      container: 'logs',
      path: '2026/app.json',
    });
    assert.deepEqual(resource('read on logs/2026/**'), { kind: 'directory', container: 'logs', path: '2026' });
    assert.deepEqual(resource('read on logs/2026/01/**'), { kind: 'directory', container: 'logs', path: '2026/01' });
    assert.equal(resource('read on $web')?.container, '$web');
    assert.equal(resource('read on $root/robots.txt')?.kind, 'blob');
  });

  it('keep a blob name as it is written', () => {
    for (const path of [
      'Ä ö.json',
      'a%2Fb',
      '%2e%2e/x',
      'a?b#c',
      'x&sig=y',
      'a:b',
      'a on b',
      "it's",
      '🦊',
      '__proto__',
      'a+b',
      '~x.',
    ]) {
      assert.equal(resource(`read on logs/${path}`)?.path, path);
    }
  });

  it('are read back from their own text', () => {
    for (const text of ['logs', 'logs/a/b.json', 'logs/a/**', '$web/index.html']) {
      const found = resource(`read on ${text}`);
      assert.ok(found);
      assert.equal(resourceText(found), text);
    }
  });

  it('name a real container', () => {
    const names = [
      'ab',
      'Logs',
      'logs-',
      '-logs',
      'lo--gs',
      'lo_gs',
      'lögs',
      'a'.repeat(64),
      '*',
      '**',
      '$other',
      '..',
      'lo gs',
      'logs2.',
    ];
    for (const name of names) assert.match(mistakeOf(`read on ${name}`), /is not a container name/, name);
    assert.match(mistakeOf('read on /logs'), /"" is not a container name/);
    assert.equal(resource(`read on ${'a'.repeat(63)}`)?.container.length, 63);
    assert.equal(resource('read on 0-a-1')?.container, '0-a-1');
  });

  it('have no path that means another one', () => {
    for (const path of ['', 'a/', 'a//b', './a', 'a/.', '../a', 'a/../b', 'a/..']) {
      assert.match(mistakeOf(`read on logs/${path}`), /empty segments, "\." or "\.\."/, path);
    }
    for (const path of ['*', 'a*', 'a/*.json', '**/a', 'a/**/b', 'a/b**', '***', 'a\\b', '..\\a']) {
      assert.match(mistakeOf(`read on logs/${path}`), /a \* may only stand as \/\*\* at the end/, path);
    }
    assert.match(mistakeOf('read on logs/**'), /for the whole container write "on logs"/);
    assert.match(mistakeOf(`read on logs/${'a'.repeat(1025)}`), /at most 1024 characters/);
    assert.equal(resource(`read on logs/${'a'.repeat(1024)}`)?.kind, 'blob');
    assert.match(mistakeOf('read on logs//**'), /empty segments/);
  });

  it('need a resource', () => {
    assert.match(
      mistakeOf('read,list'),
      /^line 1: expected a container, directory or blob, such as "read,list on logs"/,
    );
  });

  it('are for one resource a step; a name that begins alike is another one', () => {
    for (const [first, second] of [
      ['logs', 'logs2'],
      ['logs', 'logs/a'],
      ['logs/a', 'logs/a/**'],
      ['logs/a', 'logs/A'],
      ['logs/ü', 'logs/u\u0308'],
    ]) {
      const { rights, mistakes } = read(`read on ${first}\nwrite on ${first}\nread on ${second}`);
      assert.equal(rights, undefined);
      assert.equal(mistakes.length, 1);
      assert.match(mistakes[0] ?? '', /^line 3: .* is a second resource besides/);
    }
    assert.deepEqual(read('read on logs\nlist on logs\nread on logs').rights?.actions, ['read', 'list']);
  });

  it('hold actions that are possible there', () => {
    const rows: [string, RegExp][] = [
      ['list on logs/a.json', /"list" is not possible on a blob/],
      ['filterByTags on logs/a/**', /"filterByTags" is not possible on a directory/],
      ['tag on logs/a/**', /"tag" is not possible on a directory/],
      ['manageOwnership on logs', /"manageOwnership" is not possible on a container/],
      ['Read on logs', /"Read" is none of read, add/],
      ['pull on logs', /"pull" is none of read, add/],
      ['__proto__ on logs', /"__proto__" is none of/],
      ['* on logs', /"\*" is none of/],
    ];
    for (const [text, expected] of rows) assert.match(mistakeOf(text), expected, text);
  });

  it('show letters that were pasted in the words of this grammar', () => {
    const rows = {
      'rl on logs': 'read,list on logs',
      'r on logs/a.json': 'read on logs/a.json',
      'racwdl on logs/a/**': 'read,add,create,write,delete,list on logs/a/**',
    };
    for (const [pasted, shown] of Object.entries(rows)) {
      assert.ok(mistakeOf(pasted).includes(`write "${shown}"`), mistakeOf(pasted));
      assert.deepEqual(read(shown).mistakes, [], 'what is shown can be pasted');
    }
    assert.match(mistakeOf('rl on logs/a.json'), /is none of/, 'a blob has no list');
  });

  it('show letters that stand twice so that they can be pasted', () => {
    assert.ok(mistakeOf('rrl on logs').includes('write "read,list on logs"'), mistakeOf('rrl on logs'));
  });

  it('report the mistakes of all lines together', () => {
    const { mistakes } = read('read\nlist on L\npull,rl on logs\nread on logs/a/../b');
    assert.deepEqual(
      mistakes.map((mistake) => mistake.slice(0, 7)),
      ['line 1:', 'line 2:', 'line 3:', 'line 3:', 'line 4:'],
    );
  });

  it('become letters of the declared actions only, in a fixed order', () => {
    assert.equal(lettersOf(['write', 'read', 'list']), 'rwl');
    assert.equal(lettersOf([]), '');
    assert.equal(lettersOf(['nothing', 'constructor']), '');
    const { rights } = read('delete,read on logs\nlist on logs');
    assert.ok(rights);
    assert.equal(rightsLine(rights), 'read,delete,list on logs');
  });
});
