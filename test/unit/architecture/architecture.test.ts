import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../packaged.ts';
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
import { REVEAL_SITES } from './reveal-sites.ts';
import { revealSites } from './secret-rules.ts';
import { readSources } from './source.ts';

describe('architecture', () => {
  const product = readSources(root, ['src', 'tasks']);
  const productAndBuild = [...product, ...readSources(root, ['packaging', '.'])];
  const everything = [...productAndBuild, ...readSources(root, ['test'])];

  it('is read from where the code is', () => {
    for (const path of ['src/errors.ts', 'tasks/ScopedToken/main.ts', 'build.mjs', 'test/run.mjs']) {
      assert.ok(
        everything.some((source) => source.path === path),
        `${path} is not among the files that were read`,
      );
    }
    assert.ok(existsSync(join(root, 'src/pipeline/azure-pipelines.ts')));
  });

  it('dependencies point one way', () => {
    assert.deepEqual(directionViolations(product), []);
  });

  it('the task library has one home', () => {
    assert.deepEqual(product.flatMap(taskLibraryViolations), []);
  });

  it('only src/io and src/pipeline/azure-pipelines*.ts touch the outside world', () => {
    assert.deepEqual(product.flatMap(outsideWorldViolations), []);
  });

  it('token, ceiling and audit are pure', () => {
    assert.deepEqual(product.flatMap(purityViolations), []);
  });

  it('files have at most 300 lines', () => {
    assert.deepEqual(everything.flatMap(fileLengthViolations), []);
  });

  it('functions have at most 60 lines', () => {
    assert.deepEqual(productAndBuild.flatMap(functionLengthViolations), []);
  });

  it('functions have at most four positional parameters', () => {
    assert.deepEqual(productAndBuild.flatMap(parameterViolations), []);
  });

  it('names say what is inside', () => {
    assert.deepEqual(everything.flatMap(nameViolations), []);
  });

  it('nothing has the type any', () => {
    assert.deepEqual(everything.flatMap(anyViolations), []);
  });

  it('every export of src is documented', () => {
    const exporting = product.filter(({ path }) => path.startsWith('src/'));
    assert.deepEqual(exporting.flatMap(documentationViolations), []);
  });

  it('a secret is revealed at the pinned places only', () => {
    assert.deepEqual(revealSites(product), REVEAL_SITES);
  });
});
