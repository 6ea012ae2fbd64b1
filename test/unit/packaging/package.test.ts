import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { posix } from 'node:path';
import type { Contribution, ExtensionManifest } from '../../../packaging/extension-manifest.ts';
import { packageVersion, readExtensionManifest } from '../../../packaging/extension-manifest.ts';
import { pngSize } from '../../../packaging/icons.ts';
import { SIZE_LIMIT_BYTES } from '../../../packaging/package.ts';
import { readTaskManifest, type TaskManifest } from '../../../packaging/task-manifest.ts';
import { packagedExtension, root } from '../../packaged.ts';
import { type PackageFiles, readVsix } from '../../read-vsix.ts';
import { machinePaths, secretShapes } from './leaks.ts';
import { attributes, contentTypes, jsonOf, textOf } from './package-files.ts';

// What the Marketplace lets an extension be filed under.
const CATEGORIES = ['Azure Repos', 'Azure Boards', 'Azure Pipelines', 'Azure Test Plans', 'Azure Artifacts'];
const TEXT_FILE = /\.(mjs|json|md|txt|xml|vsixmanifest|vsomanifest)$/;

describe('the packaged extension', function () {
  this.timeout(60_000);
  let vsixFile = '';
  let files: PackageFiles;
  let xml = '';
  let contributions: readonly Contribution[] = [];

  before(async () => {
    vsixFile = await packagedExtension();
    files = await readVsix(vsixFile);
    xml = textOf(files, 'extension.vsixmanifest');
    contributions = jsonOf<ExtensionManifest>(files, 'extension.vsomanifest').contributions;
  });

  const taskFolders = () => contributions.map(({ properties }) => properties.name);
  const taskOf = (folder: string) => jsonOf<TaskManifest>(files, `${folder}/task.json`);

  it('is small', () => {
    assert.ok(statSync(vsixFile).size < SIZE_LIMIT_BYTES);
  });

  it('holds every file that its manifest names', () => {
    const named = attributes(xml, 'Asset', 'Path');
    assert.ok(named.length >= 4, xml);
    const others = [...xml.matchAll(/<(?:Icon|License)>([^<]+)</g)].map(([, path]) => path ?? '');
    assert.equal(others.length, 2);
    for (const path of [...named, ...others]) {
      assert.ok(files.has(path), `${path} is named and missing`);
    }
  });

  it('states a content type for every file, and the right one', () => {
    const typeOf = contentTypes(files);
    const expected: Readonly<Record<string, string>> = {
      '.mjs': 'text/javascript',
      '.json': 'application/json',
      '.png': 'image/png',
      '.md': 'text/markdown',
      '.txt': 'text/plain',
      '.vsixmanifest': 'text/xml',
      '.vsomanifest': 'application/json',
    };
    for (const path of files.keys()) {
      if (path !== '[Content_Types].xml') {
        assert.equal(typeOf(path), expected[posix.extname(path)], path);
      }
    }
  });

  it('serves no file of a task to the public', () => {
    const served = attributes(xml, 'Asset', 'Path').filter((path) => path.startsWith('tasks/'));
    assert.deepEqual(served, []);
  });

  it('holds nothing but what it needs', () => {
    const allowed = [
      /^\[Content_Types\]\.xml$/,
      /^extension\.(vsixmanifest|vsomanifest)$/,
      /^(overview\.md|LICENSE\.txt|THIRD-PARTY-NOTICES\.txt)$/,
      /^images\/extension-icon\.png$/,
      /^tasks\/[A-Za-z]+\/(task\.json|package\.json|icon\.png|(pre|main|post|chunk-[A-Z0-9]{8})\.mjs)$/,
    ];
    const others = [...files.keys()].filter((path) => !allowed.some((pattern) => pattern.test(path)));
    assert.deepEqual(others, []);
  });

  it('holds no source map, no secret and no path of the machine that built it', () => {
    for (const [path, content] of files) {
      if (TEXT_FILE.test(path)) {
        const text = content.toString('utf8');
        assert.deepEqual(secretShapes(text), [], path);
        assert.deepEqual(machinePaths(text, [root, homedir(), tmpdir()]), [], path);
        assert.doesNotMatch(text, /sourceMappingURL=/, path);
      }
    }
  });

  it('has one version, that of package.json', () => {
    const version = packageVersion(root);
    assert.deepEqual(attributes(xml, 'Identity', 'Version'), [version]);
    assert.equal(readExtensionManifest(root).version, version);
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.ok(version.split('.').every((part) => Number(part) <= 65_535));
  });

  it('says who it is and where it belongs', () => {
    assert.deepEqual(attributes(xml, 'Identity', 'Id'), ['scoped-token']);
    assert.deepEqual(attributes(xml, 'Identity', 'Publisher'), ['scoped-token']);
    const categories = /<Categories>([^<]*)</.exec(xml)?.[1]?.split(',') ?? [];
    assert.ok(categories.length > 0 && categories.every((category) => CATEGORIES.includes(category)));
    assert.deepEqual(attributes(xml, 'InstallationTarget', 'Id'), ['Microsoft.VisualStudio.Services']);
    assert.ok((/<Description[^>]*>([^<]*)</.exec(xml)?.[1] ?? '').length <= 200);
  });

  it('asks for no scope, since a task needs none', () => {
    assert.deepEqual(jsonOf<ExtensionManifest>(files, 'extension.vsomanifest')['scopes'], []);
  });

  it('contributes each task once, with the id that is committed', () => {
    for (const { type, targets } of contributions) {
      assert.equal(type, 'ms.vss-distributed-task.task');
      assert.deepEqual(targets, ['ms.vss-distributed-task.tasks']);
    }
    const ids = taskFolders().map((folder) => taskOf(folder).id);
    assert.equal(new Set(ids).size, ids.length);
    for (const folder of taskFolders()) {
      assert.deepEqual(taskOf(folder), readTaskManifest(root, folder.replace('tasks/', '')));
    }
    const packaged = [...files.keys()].filter((path) => path.endsWith('/task.json'));
    assert.deepEqual(
      packaged,
      taskFolders().map((folder) => `${folder}/task.json`),
    );
  });

  it('has the file of every handler', () => {
    for (const folder of taskFolders()) {
      const { prejobexecution, execution, postjobexecution } = taskOf(folder);
      for (const { target } of [prejobexecution, execution, postjobexecution].flatMap((stage) =>
        Object.values(stage),
      )) {
        assert.ok(files.has(`${folder}/${target}`), `${folder}/${target}`);
      }
    }
  });

  it('has icons of the sizes that the Marketplace and the task picker show', () => {
    const icon = /<Icon>([^<]+)</.exec(xml)?.[1] ?? '';
    assert.deepEqual(pngSize(files.get(icon) ?? Buffer.alloc(0)), { width: 128, height: 128 });
    for (const folder of taskFolders()) {
      assert.deepEqual(pngSize(files.get(`${folder}/icon.png`) ?? Buffer.alloc(0)), { width: 32, height: 32 });
    }
  });

  it('has an overview whose links lead out and whose pictures are none of ours', () => {
    const overview = textOf(files, 'overview.md');
    assert.match(overview, /^# Scoped Token\n/);
    const links = [...overview.matchAll(/\]\(([^)]*)\)/g)].map(([, link]) => link ?? '');
    assert.deepEqual(
      links.filter((link) => !/^(https:|#)/.test(link)),
      [],
    );
  });

  it('has its licence and those of others', () => {
    assert.match(textOf(files, 'LICENSE.txt'), /^MIT License\n/);
    assert.match(textOf(files, 'THIRD-PARTY-NOTICES.txt'), /^azure-pipelines-task-lib \d+\.\d+\.\d+ \(MIT\)$/m);
  });
});
