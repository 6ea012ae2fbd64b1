import assert from 'node:assert/strict';
import {
  directionViolations,
  outsideWorldViolations,
  purityViolations,
  taskLibraryViolations,
} from './dependency-rules.ts';
import {
  anyViolations,
  documentationViolations,
  fileLengthViolations,
  functionLengthViolations,
  nameViolations,
  parameterViolations,
} from './form-rules.ts';
import { revealSites } from './secret-rules.ts';
import { parseSource, type Source } from './source.ts';

/** Files given as path and text, parsed. */
function sources(files: Readonly<Record<string, string>>): readonly Source[] {
  return Object.entries(files).map(([path, text]) => parseSource(path, text));
}

describe('architecture rules find what they are for', () => {
  describe('direction of dependencies', () => {
    const against: Readonly<Record<string, readonly [path: string, text: string]>> = {
      'token on audit': ['src/token/a.ts', "import { x } from '../audit/b.ts';"],
      'a type counts': ['src/audit/a.ts', "import type { X } from '../steps/b.ts';"],
      'a re-export counts': ['src/ceiling/a.ts', "export { x } from '../identity/b.ts';"],
      'a lazy import counts': ['src/targets/storage/a.ts', "const x = await import('../../identity/b.ts');"],
      'an import type counts': ['src/identity/a.ts', "export type X = import('../targets/b.ts').Y;"],
      'nobody imports tasks': ['src/steps/a.ts', "import '../../tasks/ScopedToken/main.ts';"],
      'tasks reach modules through steps': ['tasks/ScopedToken/main.ts', "import { x } from '../../src/targets/b.ts';"],
      'nobody imports tests': ['src/steps/a.ts', "import { x } from '../../test/agent/b.ts';"],
      'the tab sees audit only': ['src/tab/a.ts', "import { x } from '../token/b.ts';"],
      'errors stand alone': ['src/errors.ts', "import { x } from './token/b.ts';"],
    };
    for (const [title, [path, text]] of Object.entries(against)) {
      it(title, () => {
        assert.equal(directionViolations(sources({ [path]: text })).length, 1);
      });
    }

    it('lets each layer use those below it', () => {
      const files = {
        'src/steps/a.ts': "import { x } from '../targets/b.ts'; import { io } from '../io/node-io.ts';",
        'src/targets/b.ts': "import { y } from '../token/c.ts'; import { z } from '../errors.ts'; import './d.ts';",
      };
      assert.deepEqual(directionViolations(sources(files)), []);
    });

    it('shows only interfaces of io to targets: types, and values of files that stay inside', () => {
      const files = {
        'src/io/node-io.ts': "import { readFile } from 'node:fs/promises'; export interface T {}",
        'src/io/by-way-of.ts': "import { nodeIo } from './node-io.ts';",
        'src/io/http.ts': "import type { T } from './node-io.ts'; export const limits = {};",
      };
      const importing = (text: string) =>
        directionViolations(sources({ ...files, 'src/targets/a.ts': text })).map((line) => line.split(':')[1]);
      assert.deepEqual(
        importing("import { limits } from '../io/http.ts';\nimport type { T } from '../io/node-io.ts';"),
        [],
      );
      assert.deepEqual(importing("import { type T } from '../io/by-way-of.ts';"), []);
      assert.deepEqual(importing("\nimport { nodeIo } from '../io/node-io.ts';"), ['2']);
      assert.deepEqual(importing("import { type T, other } from '../io/by-way-of.ts';"), ['1']);
    });

    it('knows every module by name', () => {
      assert.match(directionViolations(sources({ 'src/extras/a.ts': '' }))[0] ?? '', /extras is no module/);
    });
  });

  describe('the task library', () => {
    for (const text of [
      "import tl from 'azure-pipelines-task-lib';",
      "import type * as tl from 'azure-pipelines-task-lib/task.js';",
      "const tl = await import('azure-pipelines-task-lib/task');",
      "const tl = require('azure-pipelines-task-lib/task');",
    ]) {
      it(`has one home: ${text}`, () => {
        assert.equal(taskLibraryViolations(parseSource('src/pipeline/other.ts', text)).length, 1);
        assert.equal(taskLibraryViolations(parseSource('tasks/ScopedToken/main.ts', text)).length, 1);
        assert.equal(taskLibraryViolations(parseSource('src/pipeline/azure-pipelines.ts', text)).length, 0);
      });
    }
  });

  describe('the outside world', () => {
    for (const text of [
      "import { readFileSync } from 'node:fs';",
      "import { readFileSync } from 'fs';",
      "import type { Server } from 'node:http';",
      "export type S = import('node:net').Socket;",
      'const home = process.env.HOME;',
      'const { env } = process;',
      "const answer = await fetch('https://example.com');",
      "const answer = await globalThis.fetch('https://example.com');",
      'const options = { fetch };',
    ]) {
      it(`stays in io: ${text}`, () => {
        assert.equal(outsideWorldViolations(parseSource('src/targets/a.ts', text)).length, 1);
        assert.equal(outsideWorldViolations(parseSource('src/io/a.ts', text)).length, 0);
        assert.equal(outsideWorldViolations(parseSource('src/pipeline/azure-pipelines-log.ts', text)).length, 0);
      });
    }

    for (const text of [
      'class Queue { process(): void {} }',
      'queue.process();',
      'const job = { process: 1, fetch() {} };',
      'export function send(fetch: () => void): void { fetch(); }',
      'interface Io { fetch(): void }',
    ]) {
      it(`is not meant by: ${text}`, () => {
        assert.deepEqual(outsideWorldViolations(parseSource('src/targets/a.ts', text)), []);
      });
    }
  });

  it('pure modules take pure packages only', () => {
    const imports = (specifier: string) =>
      purityViolations(parseSource('src/audit/a.ts', `import '${specifier}';`)).length;
    assert.deepEqual(['@noble/hashes/sha2.js', '@scure/base', './b.ts'].map(imports), [0, 0, 0]);
    assert.deepEqual(['@azure/identity', '@noble/hashesx', 'yaml'].map(imports), [1, 1, 1]);
  });

  it('a file has at most 300 lines', () => {
    const file = (lines: number) => fileLengthViolations(parseSource('src/a.ts', 'x();\n'.repeat(lines))).length;
    assert.deepEqual([300, 301].map(file), [0, 1]);
  });

  it('a function has at most 60 lines, blank ones apart', () => {
    const body = (lines: number) => `const f = () => {\n\n${'  x();\n'.repeat(lines - 2)}}`;
    const arrow = (lines: number) => functionLengthViolations(parseSource('src/a.ts', body(lines))).length;
    assert.deepEqual([60, 61].map(arrow), [0, 1]);
    const method = `class A {\n  m() {\n${'    x();\n'.repeat(60)}  }\n}`;
    assert.equal(functionLengthViolations(parseSource('src/a.ts', method)).length, 1);
  });

  it('a function has at most four positional parameters', () => {
    for (const text of [
      'function f(a, b, c, d, e) {}',
      'const f = (a, b, c, d, e) => 1;',
      'class A { constructor(a, b, c, d, e) {} }',
      'interface I { f(a: 1, b: 2, c: 3, d: 4, e: 5): void }',
    ]) {
      assert.equal(parameterViolations(parseSource('src/a.ts', text)).length, 1, text);
    }
    assert.deepEqual(parameterViolations(parseSource('src/a.ts', 'function f(a, b, c, { d, e, f }) {}')), []);
  });

  it('no file or folder is a drawer', () => {
    const named = (path: string) => nameViolations(parseSource(path, '')).length;
    const drawers = [
      'src/utils/a.ts',
      'src/token/helpers.ts',
      'test/common.ts',
      'src/token-manager.ts',
      'src/misc/a.ts',
    ];
    assert.deepEqual(drawers.map(named), [1, 1, 1, 1, 1]);
    assert.deepEqual(['src/token/commonplace.ts', 'src/token/scope.test.ts'].map(named), [0, 0]);
  });

  it('no any', () => {
    const types = ['let a: any;', 'const a = b as any;', 'type A = Record<string, any>;', 'function f(a: any[]) {}'];
    assert.deepEqual(
      types.map((text) => anyViolations(parseSource('src/a.ts', text)).length),
      [1, 1, 1, 1],
    );
    assert.deepEqual(anyViolations(parseSource('src/a.ts', "const any = 'any'; // any")), []);
  });

  it('every export says what it promises', () => {
    const bare = [
      'export const a = 1;',
      '// no\nexport function f() {}',
      '/* no */ export type A = 1;',
      'export default 1;',
    ];
    assert.deepEqual(
      bare.map((text) => documentationViolations(parseSource('src/a.ts', text)).length),
      [1, 1, 1, 1],
    );
    const told = '/** Yes. */\nexport class A {}\nconst inner = 1;\nexport { inner };\nexport * from "./b.ts";';
    assert.deepEqual(documentationViolations(parseSource('src/a.ts', told)), []);
  });

  it('every place that names reveal is found, with the function around it', () => {
    const text = `
      const top = secret.reveal();
      export function send() { return [1].map(() => token.reveal()); }
      class Log { write() { const { reveal } = secret; } }
      const hand = () => use(secret?.reveal);
      secret['reveal']();
      const revealed = 1;
    `;
    assert.deepEqual(revealSites([parseSource('src/a.ts', text)]), [
      'src/a.ts#(top level)',
      'src/a.ts#Log.write',
      'src/a.ts#hand',
      'src/a.ts#send',
      'src/a.ts#top',
    ]);
  });
});
