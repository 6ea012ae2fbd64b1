/** What must never get into a package: secrets, and traces of the machine that built it. */

// The shapes of the secrets that this product handles and that its developers have.
const SECRET_SHAPES: Readonly<Record<string, RegExp>> = {
  'a JSON web token': /eyJ[\w-]{10,}\.eyJ[\w-]{10,}/,
  'a private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=\s]{40}/,
  'an Azure DevOps personal access token': /\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b/,
  // The storage library knows the key of the emulator, which Microsoft publishes.
  'a storage account key': /AccountKey=(?!Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1)[A-Za-z0-9+/]{40}/,
  'an Entra client secret': /\b[\w~.-]{3}\dQ~[\w~.-]{31,34}/,
  'a shared access signature': /[?&]sig=[A-Za-z0-9%+/]{30}/,
  'a GitHub token': /\bgh[pousr]_[A-Za-z0-9]{36}/,
  'an npm token': /\bnpm_[A-Za-z0-9]{36}|_authToken=\S/,
  'an AWS access key': /\bAKIA[A-Z0-9]{16}\b/,
};

const MACHINE_PATHS = /\/home\/[a-z]|\/Users\/[A-Za-z]|[A-Z]:\\+Users\\/;

/** Names of what looks like a secret in the text. */
export function secretShapes(text: string): readonly string[] {
  return Object.keys(SECRET_SHAPES).filter((name) => SECRET_SHAPES[name]?.test(text));
}

/** Paths of a machine in the text: somebody's home, or any of the given folders. */
export function machinePaths(text: string, folders: readonly string[]): readonly string[] {
  const home = MACHINE_PATHS.exec(text)?.[0];
  const found = folders.filter((folder) => text.includes(`${folder}/`));
  return home === undefined ? found : [home, ...found];
}
