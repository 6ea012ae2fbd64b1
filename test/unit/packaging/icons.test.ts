import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawIcon, ICONS, pngSize } from '../../../packaging/icons.ts';
import { root } from '../../packaged.ts';

describe('icons', () => {
  for (const icon of ICONS) {
    it(`${icon.path} is the drawing, ${icon.sizePixels} pixels wide and high`, () => {
      const committed = readFileSync(join(root, icon.path));
      assert.deepEqual(pngSize(committed), { width: icon.sizePixels, height: icon.sizePixels });
      assert.ok(committed.equals(drawIcon(root, icon)), 'images/icon.svg has changed: run "npm run icons"');
    });
  }

  it('something that is not a PNG has no size', () => {
    assert.throws(() => pngSize(Buffer.from('GIF89a and some more bytes')), /not a PNG/);
  });
});
