import assert from 'node:assert/strict';
import { manifestOf, packageVersion, readExtensionManifest } from '../../../packaging/extension-manifest.ts';
import { readTaskManifest, withVariant } from '../../../packaging/task-manifest.ts';
import { packageFileName, parseVariant, taskIdOf, uuidVersion5 } from '../../../packaging/variant.ts';
import { root } from '../../packaged.ts';

describe('copies of the extension', () => {
  const published = parseVariant([]);
  const development = parseVariant(['--dev']);
  const fabrikam = parseVariant(['--publisher', 'fabrikam']);
  const both = parseVariant(['--publisher', 'fabrikam', '--dev']);
  const task = readTaskManifest(root, 'ScopedToken');
  const extension = readExtensionManifest(root);

  it('the published one is what is committed', () => {
    assert.deepEqual(withVariant(task, published), task);
    assert.deepEqual(manifestOf(extension, published, packageVersion(root), []), extension);
    assert.equal(packageFileName(published, '0.1.0'), 'scoped-token-0.1.0.vsix');
  });

  it('each has task ids of its own, which stay the same', () => {
    const ids = [published, development, fabrikam, both].map((variant) => taskIdOf(variant, task.id));
    assert.equal(new Set(ids).size, 4);
    assert.equal(ids[0], task.id);
    assert.deepEqual(
      ids,
      [published, development, fabrikam, both].map((variant) => taskIdOf(variant, task.id)),
    );
    for (const id of ids.slice(1)) {
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('their ids follow RFC 9562, version 5', () => {
    // The RFC's own example, appendix A.4.
    const id = uuidVersion5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com');
    assert.equal(id, '2ed6657d-e927-568b-95e1-2665a8aea6a2');
  });

  it('a development copy is told apart, private, and packed under its own name', () => {
    const manifest = manifestOf(extension, development, '0.1.0', []);
    assert.equal(manifest.id, 'scoped-token-dev');
    assert.equal(manifest.name, 'Scoped Token (dev)');
    assert.equal(manifest.public, false);
    assert.equal(withVariant(task, development).friendlyName, 'Scoped Token (dev)');
    assert.equal(packageFileName(development, '0.1.0'), 'scoped-token-dev-0.1.0.vsix');
  });

  it('another publisher gets a private copy that leads to its own page', () => {
    const manifest = manifestOf(extension, fabrikam, '0.1.0', []);
    assert.deepEqual([manifest.publisher, manifest.id, manifest.public], ['fabrikam', 'scoped-token', false]);
    assert.match(withVariant(task, fabrikam).helpUrl, /itemName=fabrikam\.scoped-token$/);
    assert.equal(packageFileName(fabrikam, '0.1.0'), 'fabrikam.scoped-token-0.1.0.vsix');
  });

  it('arguments that mean nothing are refused', () => {
    assert.throws(() => parseVariant(['--development']), /--development/);
    assert.throws(() => parseVariant(['--publisher', 'not a publisher']), /letters, digits and hyphens/);
  });
});
