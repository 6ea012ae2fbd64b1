import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type InstalledTask, snapshotFolder } from './extension-package.ts';
import { matchesGlob } from './glob.ts';
import type { Published } from './job-state.ts';
import type { Leak, LeakSearch } from './leak-search.ts';
import type { StepRecord } from './step-record.ts';
import type { Attachment } from './upload-queue.ts';
import type { VariableStore } from './variable-store.ts';

/** Everything that a run published. */
export interface PublishedFacts {
  readonly log: readonly string[];
  readonly records: readonly StepRecord[];
  readonly attachments: readonly Attachment[];
  readonly published: readonly Published[];
  readonly variables: VariableStore;
  readonly taskVariables: readonly VariableStore[];
}

function findRecordLeaks(record: StepRecord, search: LeakSearch): Leak[] {
  const { stage, name, displayName } = record.identity;
  const of = `step ${name} (${stage})`;
  return [
    ...search.find(`display name of ${of}`, displayName),
    ...record.issues.flatMap((issue) => [
      ...search.find(`issue of ${of}`, issue.message),
      ...search.find(`issue property of ${of}`, Object.values(issue.properties).join('\n')),
    ]),
    ...record.progressTexts.flatMap((text) => search.find(`progress text of ${of}`, text)),
    ...[...record.outputs]
      .filter(([, output]) => !output.secret)
      .flatMap(([output, { value }]) => search.find(`output variable ${output} of ${of}`, value)),
  ];
}

function findVariableLeaks(store: VariableStore, what: string, search: LeakSearch): Leak[] {
  return store.exposed.flatMap((variable) => search.find(`${what} ${variable.name}`, variable.value));
}

/** Secrets in what left the job: log, records, attachments, artifacts, variables that are not secret. */
export function findPublishedLeaks(facts: PublishedFacts, search: LeakSearch): Leak[] {
  return [
    ...facts.log.flatMap((line, index) => search.find(`log line ${index + 1}`, line)),
    ...facts.records.flatMap((record) => findRecordLeaks(record, search)),
    ...facts.attachments.flatMap(({ type, name, step, content }) => [
      ...search.find(`attachment ${type}/${name} of step ${step}`, content),
      ...search.find(`name of an attachment of step ${step}`, `${type}/${name}`),
    ]),
    ...facts.published.flatMap(({ kind, name, content }) => [
      ...search.find(kind, name),
      ...search.find(`${kind} content`, content),
    ]),
    ...findVariableLeaks(facts.variables, 'variable', search),
    ...facts.taskVariables.flatMap((store) => findVariableLeaks(store, 'task variable', search)),
  ];
}

function listPaths(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listPaths(path) : [path];
  });
}

function findFileLeaks(path: string, name: string, search: LeakSearch): Leak[] {
  const entry = lstatSync(path);
  const inName = search.find('name of a file that was left', name);
  if (entry.isSymbolicLink()) {
    return [...inName, ...search.find(`link ${name}`, readlinkSync(path))];
  }
  return entry.isFile() ? [...inName, ...search.find(`file ${name}`, readFileSync(path))] : inName;
}

/** Files of task folders that are not as they were installed, as paths. */
export function findTouchedTaskFiles(tasks: Iterable<InstalledTask>): string[] {
  return [...tasks].flatMap(({ folder, snapshot }) =>
    [...snapshotFolder(folder)]
      .filter(([name, state]) => snapshot.get(name) !== state)
      .map(([name]) => join(folder, name)),
  );
}

/** Secrets in files below the agent's root, but for those that `allowed` names; untouched task files are left out. */
export function findLeftLeaks(root: string, tasksFolder: string, facts: LeftFacts): Leak[] {
  const touched = new Set(facts.touched);
  return listPaths(root)
    .filter((path) => !path.startsWith(`${tasksFolder}/`) || touched.has(path))
    .flatMap((path) => {
      const name = relative(root, path);
      const isAllowed = facts.allowed.some((pattern) => matchesGlob(name, pattern));
      return isAllowed ? [] : findFileLeaks(path, name, facts.search);
    });
}

export interface LeftFacts {
  readonly search: LeakSearch;
  /** Patterns, relative to the root. */
  readonly allowed: readonly string[];
  /** Task files that changed. */
  readonly touched: readonly string[];
}
