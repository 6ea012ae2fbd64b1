/** Which copy of the extension is built: the published one, one of another publisher, or a development copy. */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';

/** The publisher whose copy carries the committed ids. */
export const OWN_PUBLISHER = 'scoped-token';
const EXTENSION_ID = 'scoped-token';
const DEVELOPMENT_EXTENSION_ID = 'scoped-token-dev';

/** One way to build the extension. */
export interface Variant {
  readonly publisher: string;
  readonly isDevelopment: boolean;
}

/**
 * Reads `--dev` and `--publisher NAME` from a command line. Neither gives the copy that is published.
 * @throws Error when an argument is unknown, or when the publisher's name is not one that the Marketplace takes
 */
export function parseVariant(commandLine: readonly string[]): Variant {
  const { values } = parseArgs({
    args: [...commandLine],
    options: { dev: { type: 'boolean', default: false }, publisher: { type: 'string', default: OWN_PUBLISHER } },
  });
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(values.publisher)) {
    throw new Error(`--publisher ${values.publisher}: a publisher's id has letters, digits and hyphens only`);
  }
  return { publisher: values.publisher, isDevelopment: values.dev };
}

/** Whether this is the copy that is published under the committed ids. */
export function isPublishedCopy(variant: Variant): boolean {
  return variant.publisher === OWN_PUBLISHER && !variant.isDevelopment;
}

/** The extension's id within its publisher. */
export function extensionIdOf(variant: Variant): string {
  return variant.isDevelopment ? DEVELOPMENT_EXTENSION_ID : EXTENSION_ID;
}

/** What stands behind the extension's and the tasks' names, so that two copies in one organisation can be told apart. */
export function nameSuffixOf(variant: Variant): string {
  return variant.isDevelopment ? ' (dev)' : '';
}

/** File name of the package, without a folder. */
export function packageFileName(variant: Variant, version: string): string {
  const owner = variant.publisher === OWN_PUBLISHER ? '' : `${variant.publisher}.`;
  return `${owner}${extensionIdOf(variant)}-${version}.vsix`;
}

/**
 * The task's id in this copy: the committed one for the published copy, else one that follows from it, the publisher
 * and the extension. An organisation that installs two extensions with one task id keeps whichever came first, so every
 * copy has its own.
 */
export function taskIdOf(variant: Variant, committedId: string): string {
  const owner = `${variant.publisher}/${extensionIdOf(variant)}`;
  return isPublishedCopy(variant) ? committedId : uuidVersion5(committedId, owner);
}

/** A UUID that follows from a namespace, itself a UUID, and a name (RFC 9562, section 5.5). */
export function uuidVersion5(namespace: string, name: string): string {
  const digest = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const digits = digest.toString('hex', 0, 16);
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
