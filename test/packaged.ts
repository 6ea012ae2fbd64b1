/** The package that tests run: built once, from the sources as they are. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageExtension } from '../packaging/package.ts';
import { parseVariant } from '../packaging/variant.ts';

/** Environment variable by which a parent process hands over a package that it has just built. */
export const PACKAGE_VARIABLE = 'SCOPED_TOKEN_VSIX';

/** The repository's root. */
export const root = dirname(import.meta.dirname);

let built: Promise<string> | undefined;

/**
 * Path of the packaged extension. Within `npm test` it is the one that the run has built; else it is built on the first
 * call, into a folder that is removed when the process ends.
 */
export function packagedExtension(): Promise<string> {
  const handedOver = process.env[PACKAGE_VARIABLE];
  built ??= handedOver !== undefined ? Promise.resolve(handedOver) : buildForThisProcess();
  return built;
}

async function buildForThisProcess(): Promise<string> {
  const outFolder = mkdtempSync(join(tmpdir(), 'scoped-token-package-'));
  process.once('exit', () => rmSync(outFolder, { recursive: true, force: true }));
  const { vsixFile } = await packageExtension({ root, outFolder, variant: parseVariant([]) });
  return vsixFile;
}
