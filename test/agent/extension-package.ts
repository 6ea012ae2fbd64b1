import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import yauzl, { type ZipFile } from 'yauzl';
import { PipelineRefused } from './refusal.ts';
import { parseTaskDefinition, type TaskDefinition } from './task-definition.ts';

/** A task inside an extension, with the files of its folder by their path in it. */
export interface PackagedTask {
  readonly definition: TaskDefinition;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Where a task was put, and what its folder looked like then. */
export interface InstalledTask {
  readonly definition: TaskDefinition;
  readonly folder: string;
  /** Size and time of every file, by path. */
  readonly snapshot: ReadonlyMap<string, string>;
}

const openZip = promisify<string, yauzl.Options, ZipFile>(yauzl.open);

async function unzip(path: string): Promise<Map<string, Buffer>> {
  const zip = await openZip(path, { lazyEntries: true });
  const openEntry = promisify(zip.openReadStream.bind(zip)) as (entry: yauzl.Entry) => Promise<NodeJS.ReadableStream>;
  const files = new Map<string, Buffer>();
  const done = new Promise<void>((resolve, reject) => {
    zip.on('end', resolve);
    zip.on('error', reject);
    zip.on('entry', (entry: yauzl.Entry) => {
      if (entry.fileName.endsWith('/')) {
        zip.readEntry();
        return;
      }
      openEntry(entry)
        .then(async (stream) => {
          const chunks: Buffer[] = [];
          for await (const chunk of stream) {
            chunks.push(Buffer.from(chunk));
          }
          files.set(entry.fileName, Buffer.concat(chunks));
          zip.readEntry();
        })
        .catch(reject);
    });
  });
  zip.readEntry();
  await done;
  return files;
}

function listFiles(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    return entry.isDirectory() ? listFiles(folder, path) : [path];
  });
}

async function readFiles(path: string): Promise<ReadonlyMap<string, Buffer>> {
  if (!statSync(path).isDirectory()) {
    return unzip(path);
  }
  return new Map(listFiles(path).map((name) => [name, readFileSync(join(path, name))]));
}

function contributedFolders(files: ReadonlyMap<string, Buffer>): string[] | undefined {
  const manifest = files.get('extension.vsomanifest');
  if (manifest === undefined) {
    return undefined;
  }
  const parsed = JSON.parse(manifest.toString('utf8').replace(/^\uFEFF/, '')) as {
    contributions?: { type?: string; properties?: { name?: string } }[];
  };
  return (parsed.contributions ?? [])
    .filter((contribution) => contribution.type === 'ms.vss-distributed-task.task')
    .map((contribution) => (contribution.properties?.name ?? '').replaceAll('\\', '/').replace(/\/$/, ''));
}

/**
 * Reads the tasks of a `.vsix`, or of a folder laid out like one: in a `.vsix` those that its manifest contributes
 * (the folder named, or one folder a version below it), in a plain folder every task.json at most two folders down.
 * @throws PipelineRefused where there is no task
 */
export async function readExtension(path: string): Promise<readonly PackagedTask[]> {
  const files = await readFiles(path);
  const contributed = contributedFolders(files);
  const tasks: PackagedTask[] = [];
  for (const [name, content] of files) {
    const folder = name === 'task.json' ? '' : name.replace(/\/task\.json$/, '');
    const isTask = name === 'task.json' || (name.endsWith('/task.json') && folder.split('/').length <= 2);
    const isWanted = contributed?.some((wanted) => folder === wanted || folder.startsWith(`${wanted}/`)) ?? true;
    if (isTask && isWanted && !folder.includes('node_modules')) {
      const inside = folder === '' ? '' : `${folder}/`;
      const own = [...files].filter(([file]) => file.startsWith(inside));
      tasks.push({
        definition: parseTaskDefinition(content.toString('utf8')),
        files: new Map(own.map(([file, bytes]) => [file.slice(inside.length), bytes])),
      });
    }
  }
  if (tasks.length === 0) {
    throw new PipelineRefused([`${path} holds no task`]);
  }
  return tasks;
}

/** Size and modification time of every file below a folder. */
export function snapshotFolder(folder: string): ReadonlyMap<string, string> {
  return new Map(
    listFiles(folder).map((name) => {
      const { size, mtimeMs } = statSync(join(folder, name));
      return [name, `${size} ${mtimeMs}`];
    }),
  );
}

/** Puts a task where the agent does, `_tasks/<name>_<id>/<version>`, and takes the right to write away. */
export function installTask(task: PackagedTask, tasksFolder: string): InstalledTask {
  const { definition } = task;
  const folder = join(tasksFolder, `${definition.name}_${definition.id}`, definition.version.replaceAll('+', '_'));
  const folders = new Set([folder]);
  for (const [name, content] of task.files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode: 0o444 });
    for (let parent = dirname(path); parent.length >= folder.length; parent = dirname(parent)) {
      folders.add(parent);
    }
  }
  const snapshot = snapshotFolder(folder);
  for (const parent of folders) {
    chmodSync(parent, 0o555);
  }
  return { definition, folder, snapshot };
}
