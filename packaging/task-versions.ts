/** One version of a task is one content: agents keep a task by its version and never fetch a second content for it. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is known of one version of a task. */
export interface VersionRecord {
  /** SHA-256 over the names and contents of the task's packaged files, hex. */
  readonly sha256: string;
  /** Once an organisation may have it, the content is fixed for good. */
  readonly published: boolean;
}

/** Task name, then version, to what is known of it. */
export type VersionRecords = Readonly<Record<string, Readonly<Record<string, VersionRecord>>>>;

/** A task as it was built. */
export interface BuiltVersion {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

const fileOf = (root: string): string => join(root, 'packaging', 'task-versions.json');

/** Reads the committed records. */
export function readVersionRecords(root: string): VersionRecords {
  return JSON.parse(readFileSync(fileOf(root), 'utf8')) as VersionRecords;
}

/** Writes the records; they are meant to be committed. */
export function writeVersionRecords(root: string, records: VersionRecords): void {
  writeFileSync(fileOf(root), `${JSON.stringify(records, null, 2)}\n`);
}

/** One digest over file names and contents; the order in which the files are given does not matter. */
export function contentSha256(files: ReadonlyMap<string, Uint8Array>): string {
  const digest = createHash('sha256');
  for (const name of [...files.keys()].sort()) {
    const bytes = files.get(name) ?? new Uint8Array();
    digest.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return digest.digest('hex');
}

/** What is wrong with a build's version, and what mends it; undefined when version and content agree. */
export function versionProblem(records: VersionRecords, built: BuiltVersion): string | undefined {
  const record = records[built.name]?.[built.version];
  if (record?.sha256 === built.sha256) {
    return undefined;
  }
  if (record === undefined) {
    return `${built.name} ${built.version} has no recorded content: run "npm run task-version"`;
  }
  return record.published
    ? `${built.name} ${built.version} is published and its content has changed: raise the version in its task.json, then run "npm run task-version"`
    : `${built.name} ${built.version} differs from its recorded content: if that is meant, run "npm run task-version" and commit packaging/task-versions.json`;
}

/**
 * The records with this build's content, and with `publish` also marked as published.
 * @throws Error when the version is published with another content
 */
export function recordVersion(records: VersionRecords, built: BuiltVersion, publish: boolean): VersionRecords {
  const record = records[built.name]?.[built.version];
  if (record?.published === true && record.sha256 !== built.sha256) {
    throw new Error(versionProblem(records, built));
  }
  const next: VersionRecord = { sha256: built.sha256, published: publish || record?.published === true };
  return { ...records, [built.name]: { ...records[built.name], [built.version]: next } };
}
