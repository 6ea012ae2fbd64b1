import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { type BuildResult, buildExtension } from '../../../packaging/build.ts';
import { duplicateCopies } from '../../../packaging/bundled-packages.ts';
import { noticeHead } from '../../../packaging/notices.ts';
import { readVersionRecords, versionProblem } from '../../../packaging/task-versions.ts';
import { parseVariant } from '../../../packaging/variant.ts';
import { packagedExtension, root } from '../../packaged.ts';
import { type PackageFiles, readVsix } from '../../read-vsix.ts';
import { requireNode24 } from '../../requires.ts';
import { importsOf, parseSource, walk } from '../architecture/source.ts';
import { textOf } from './package-files.ts';

const STAGES = ['pre.mjs', 'main.mjs', 'post.mjs'];

describe('the bundle of ScopedToken', function () {
  this.timeout(60_000);
  let folder = '';
  let build: BuildResult;
  let files: PackageFiles;

  before(async () => {
    files = await readVsix(await packagedExtension());
    folder = mkdtempSync(join(tmpdir(), 'scoped-token-bundle-'));
    build = await buildExtension({ root, outFolder: folder, variant: parseVariant([]) });
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const modules = () => [...files].filter(([path]) => path.endsWith('.mjs'));

  it('is the same, byte for byte, when it is built again elsewhere', () => {
    const staged = readdirSync(build.stagedFolder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const paths = staged.map((entry) => join(entry.parentPath, entry.name).slice(build.stagedFolder.length + 1));
    assert.ok(paths.includes('tasks/ScopedToken/main.mjs'));
    for (const path of paths.filter((one) => one !== 'vss-extension.json')) {
      assert.ok(
        files.get(path)?.equals(readFileSync(join(build.stagedFolder, path))),
        `${path} differs between two builds`,
      );
    }
  });

  it('has the content that is recorded for its version', () => {
    const problems = build.tasks.map((task) => versionProblem(readVersionRecords(root), task));
    assert.deepEqual(
      problems.filter((problem) => problem !== undefined),
      [],
    );
  });

  it('keeps its source maps outside of the package', () => {
    const maps = readdirSync(join(folder, 'maps', 'ScopedToken'));
    for (const stage of STAGES) {
      assert.ok(maps.includes(`${stage}.map`));
    }
  });

  it('holds one copy of every npm package', () => {
    assert.ok(build.packages.some(({ name }) => name === 'azure-pipelines-task-lib'));
    assert.deepEqual(duplicateCopies(build.packages), []);
  });

  it('names each of them in the notices', () => {
    const notices = textOf(files, 'THIRD-PARTY-NOTICES.txt').split('\n');
    for (const one of build.packages) {
      assert.ok(notices.includes(noticeHead(one)), `${one.name} is bundled and not in the notices`);
    }
  });

  it('loads nothing but modules of Node and files of its own', () => {
    for (const [path, content] of modules()) {
      const source = parseSource(path, content.toString('utf8'));
      for (const { specifier } of importsOf(source)) {
        const isOwn = specifier.startsWith('./') && files.has(`tasks/ScopedToken/${basename(specifier)}`);
        assert.ok(isOwn || specifier.startsWith('node:'), `${path} loads ${specifier}`);
      }
      walk(source, (node) => {
        const isImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
        const argument = isImport ? node.arguments[0] : undefined;
        assert.ok(argument === undefined || ts.isStringLiteralLike(argument), `${path} loads ${argument?.getText()}`);
      });
    }
    // What CommonJS packages require is behind esbuild's wrapper, and stands in its account of the bundle.
    const outputs = build.tasks.flatMap(({ metafile }) => Object.values(metafile.outputs));
    const external = outputs.flatMap((output) => output.imports).filter((one) => one.external === true);
    assert.ok(external.length > 0);
    assert.deepEqual(
      external.filter(({ path }) => !path.startsWith('node:')),
      [],
    );
  });

  describe('starts from where the agent puts it', () => {
    let taskFolder = '';

    before(() => {
      taskFolder = join(folder, 'agent', 'ScopedToken');
      mkdirSync(taskFolder, { recursive: true });
      for (const [path, content] of files) {
        if (path.startsWith('tasks/ScopedToken/')) {
          writeFileSync(join(taskFolder, basename(path)), content);
        }
      }
    });

    // With no job around it a stage can only say what it misses. That it says so means that every module was found and run.
    function start(node: string, stage: string): void {
      const temp = join(folder, `temp-${basename(node)}-${stage}`);
      mkdirSync(temp, { recursive: true });
      const env = { PATH: process.env['PATH'] ?? '', AGENT_TEMPDIRECTORY: temp };
      const run = spawnSync(node, [join(taskFolder, stage)], { cwd: temp, env, encoding: 'utf8', timeout: 30_000 });
      const output = `${run.stdout}${run.stderr}`;
      assert.equal(run.signal, null, output);
      const broken =
        /SyntaxError|ReferenceError|TypeError|ERR_MODULE|ERR_UNKNOWN|Cannot find|Dynamic require|is not supported/;
      assert.doesNotMatch(output, broken);
      assert.match(run.stdout, /^##vso\[|^##\[/m, `${stage} said nothing: ${output}`);
    }

    for (const stage of STAGES) {
      it(`${stage}, on the Node that runs this`, () => start(process.execPath, stage));

      it(`${stage}, on Node 24`, function () {
        start(requireNode24(this), stage);
      });
    }
  });
});
