import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatScope, parseScopes } from '../../../src/token/scope.ts';

const only = (text: string) => {
  const { scopes, mistakes } = parseScopes(text);
  assert.deepEqual(mistakes, []);
  assert.equal(scopes.length, 1);
  return scopes[0];
};
const mistake = (text: string) => {
  const { mistakes } = parseScopes(text);
  assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
  const { line, column, message } = mistakes[0] ?? { line: 0, column: 0, message: '' };
  return `${line}:${column} ${message}`;
};

describe('the scope grammar', () => {
  it('reads actions and a resource', () => {
    assert.deepEqual(only('read,list on logs'), { actions: ['read', 'list'], resource: 'logs', line: 1 });
    assert.deepEqual(only('User.Read.All'), { actions: ['User.Read.All'], line: 1 });
    assert.deepEqual(only('  pull on team/app  '), { actions: ['pull'], resource: 'team/app', line: 1 });
  });

  it('splits at the first " on ", and takes the rest as it is written', () => {
    assert.equal(only("read on a on b, 'c' # d")?.resource, "a on b, 'c' # d");
    assert.equal(only('directoryRole on Directory Readers')?.resource, 'Directory Readers');
    assert.equal(only('read on Grüße/日本/🦊')?.resource, 'Grüße/日本/🦊');
    assert.equal(only('read on __proto__')?.resource, '__proto__');
  });

  it('takes an action in quotes with commas, blanks and " on " in it', () => {
    assert.deepEqual(only("'Key, Vault on x',read on y")?.actions, ['Key, Vault on x', 'read']);
    assert.deepEqual(only("'read'")?.actions, ['read']);
    assert.deepEqual(only('__proto__,constructor on x')?.actions, ['__proto__', 'constructor']);
  });

  it('skips blank lines and comments, and counts them', () => {
    const text = '# comment\r\n\r\nread on logs\r  # another\n\tlist on logs\n';
    const { scopes, mistakes } = parseScopes(text);
    assert.deepEqual(mistakes, []);
    assert.deepEqual(
      scopes.map(({ line }) => line),
      [3, 5],
    );
  });

  it('keeps upper and lower case apart', () => {
    assert.deepEqual(only('Read,read on Logs')?.actions, ['Read', 'read']);
    assert.equal(only('Read on Logs')?.resource, 'Logs');
    assert.match(mistake('read ON logs'), /^1:5 expected "," or " on RESOURCE"/);
  });

  it('names line, column and what was expected', () => {
    const rows: [string, RegExp][] = [
      ['', /^1:1 expected at least one scope/],
      ['# only a comment', /^1:1 expected at least one scope/],
      [' on logs', /^1:4 expected "," or " on RESOURCE"/],
      ['read,', /^1:6 expected an action, found the end of the line/],
      ['read,,list', /^1:6 expected an action, found ","/],
      ['read, list on logs', /^1:6 expected an action, found " "/],
      ['read list', /^1:5 expected "," or " on RESOURCE", found " list"/],
      ['read on', /^1:5 expected a resource after " on "/],
      ['read on  logs', /^1:9 expected one blank before the resource/],
      ["'read on logs", /^1:1 expected a closing '/],
      ["'' on logs", /^1:1 expected an action between the quotes/],
      ["re'ad on logs", /^1:3 expected "," or " on RESOURCE"/],
      ['read,read on logs', /^1:6 the action "read" stands twice/],
      ['  read,read on logs', /^1:8 the action "read" stands twice/],
      ['read\ton logs', /^1:5 expected printable characters/],
      ['read on lo\u200bgs', /^1:11 expected printable characters/],
      ['read on lo\u202egs', /^1:11 expected printable characters/],
      ['read on lo\u2028gs', /^1:11 expected printable characters/],
    ];
    for (const [text, expected] of rows) assert.match(mistake(text), expected, JSON.stringify(text));
  });

  it('returns the mistakes of all lines together, beside the scopes that it could read', () => {
    const { scopes, mistakes } = parseScopes('read,\npull on a\n\nx y\n');
    assert.deepEqual(
      mistakes.map(({ line }) => line),
      [1, 4],
    );
    assert.equal(scopes.length, 1);
  });

  it('reads a huge input before the test runs out of time', () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `a${index},b on resource/${index}`).join('\n');
    assert.equal(parseScopes(lines).scopes.length, 20_000);
    const actions = Array.from({ length: 4_000 }, (_, index) => `a${index}`).join(',');
    assert.equal(only(actions)?.actions.length, 4_000);
    assert.equal(parseScopes(`read on ${' '.repeat(100_000)}x${' '.repeat(100_000)}y`).mistakes.length, 1);
  });

  it('is read back as it was printed', () => {
    const pieces = fc.constantFrom(
      'a',
      'B',
      '.',
      ':',
      '/',
      '#',
      '*',
      'ü',
      '🦊',
      ' ',
      ',',
      ' on ',
      'on',
      '=',
      '"',
      '\\',
      '%2C',
      '\u00a0',
    );
    const text = (longest: number) =>
      fc.array(pieces, { minLength: 1, maxLength: longest }).map((parts) => parts.join(''));
    const actions = fc.uniqueArray(text(5), { minLength: 1, maxLength: 3 });
    const resource = fc.option(
      text(6)
        .map((it) => it.trim())
        .filter((it) => it !== ''),
      { nil: undefined },
    );
    fc.assert(
      fc.property(actions, resource, (names, place) => {
        // such an action is the fault below
        fc.pre(!/^#[^,\s]*$/.test(names[0] ?? ''));
        const scope = place === undefined ? { actions: names } : { actions: names, resource: place };
        assert.deepEqual(parseScopes(formatScope(scope)), { scopes: [{ ...scope, line: 1 }], mistakes: [] });
      }),
      { numRuns: 2_000 },
    );
  });

  it('prints an action that begins with # so that it is no comment', () => {
    const scope = only("'#read' on logs");
    assert.deepEqual(scope?.actions, ['#read']);
    assert.deepEqual(only(formatScope({ actions: ['#read'], resource: 'logs' })), scope);
  });

  it('throws at no input, and reports every line that it does not take', () => {
    const pieces = [
      'read',
      ' ',
      ',',
      "'",
      ' on ',
      '#',
      '\n',
      '\r',
      '\t',
      '\ud800',
      '\u0000',
      '__proto__',
      '🦊',
      '\ufeff',
    ];
    const text = fc.oneof(
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
      fc.string({ unit: 'binary-ascii' }),
    );
    fc.assert(
      fc.property(text, (input) => {
        const { scopes, mistakes } = parseScopes(input);
        const meant = input.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
        assert.equal(scopes.length + mistakes.length, Math.max(meant.length, 1));
        for (const { line, column } of mistakes) assert.ok(line >= 1 && column >= 1);
      }),
      { numRuns: 2_000 },
    );
  });
});
