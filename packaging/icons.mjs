// `npm run icons`: draws the PNG icons anew from images/icon.svg.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { register } from 'tsx/esm/api';

register();
const { drawIcon, ICONS } = await import('./icons.ts');

const root = dirname(import.meta.dirname);
for (const icon of ICONS) {
  writeFileSync(join(root, icon.path), drawIcon(root, icon));
  console.log(`${icon.path}: ${icon.sizePixels} x ${icon.sizePixels}`);
}
