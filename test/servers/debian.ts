import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Programs that the lab uses and npm does not carry; each is a Debian package of the same name. */
export type DebianProgram = 'docker-registry' | 'skopeo' | 'curl';

/** Whether a program is there, where, and otherwise why not in one sentence. */
export type ProgramState =
  | { readonly available: true; readonly path: string }
  | { readonly available: false; readonly reason: string };

/** Looks a program up in the folders of `PATH`, or in the given ones. */
export function debianProgram(name: DebianProgram, folders: readonly string[] = programFolders()): ProgramState {
  for (const folder of folders) {
    const path = join(folder, name);
    if (isExecutable(path)) return { available: true, path };
  }
  return {
    available: false,
    reason: `the program ${name} is not installed here; on Debian: apt-get install --no-install-recommends ${name}`,
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian puts some servers where an ordinary user's PATH does not look. */
function programFolders(): readonly string[] {
  return [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/bin'].filter(Boolean);
}
