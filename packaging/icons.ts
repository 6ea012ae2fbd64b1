/** The PNG icons, drawn from images/icon.svg. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';

/** One PNG: where it stands, and its width and height in pixels. */
export interface Icon {
  readonly path: string;
  readonly sizePixels: number;
}

/** All icons: what the Marketplace shows, and what the task picker shows. */
export const ICONS: readonly Icon[] = [
  { path: 'images/extension-icon.png', sizePixels: 128 },
  { path: 'tasks/ScopedToken/icon.png', sizePixels: 32 },
];

/** The icon's PNG bytes; the same bytes from the same drawing. */
export function drawIcon(root: string, icon: Icon): Uint8Array {
  const drawing = readFileSync(join(root, 'images', 'icon.svg'), 'utf8');
  const picture = new Resvg(drawing, {
    fitTo: { mode: 'width', value: icon.sizePixels },
    font: { loadSystemFonts: false },
  });
  return picture.render().asPng();
}

/**
 * Width and height that a PNG states of itself (PNG specification, section 11.2.1: the first chunk is IHDR).
 * @throws Error when the bytes are not a PNG
 */
export function pngSize(bytes: Uint8Array): { readonly width: number; readonly height: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.toString('latin1', 1, 4) !== 'PNG' || view.toString('latin1', 12, 16) !== 'IHDR') {
    throw new Error('not a PNG');
  }
  return { width: view.readUInt32BE(16), height: view.readUInt32BE(20) };
}
