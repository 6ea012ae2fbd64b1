/** Reads a .vsix file, which is a zip. */
import { buffer } from 'node:stream/consumers';
import { openPromise } from 'yauzl';

/** Path within the package to content, in the package's order; folders are left out. */
export type PackageFiles = ReadonlyMap<string, Buffer>;

/** Reads every file of a package. */
export async function readVsix(file: string): Promise<PackageFiles> {
  const files = new Map<string, Buffer>();
  const zip = await openPromise(file);
  for await (const entry of zip.eachEntry()) {
    if (!entry.fileName.endsWith('/')) {
      files.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)));
    }
  }
  return files;
}
