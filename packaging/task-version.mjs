// `npm run task-version [-- --publish]`: brings the committed task.json files up to date with the targets' registry,
// records the content of the tasks' current versions, and with --publish fixes it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';

register();
const { buildExtension } = await import('./build.ts');
const { parseVariant } = await import('./variant.ts');
const { readTargetNames, taskNames, textWithTargets } = await import('./task-manifest.ts');
const { readVersionRecords, recordVersion, writeVersionRecords } = await import('./task-versions.ts');

const { publish } = parseArgs({ options: { publish: { type: 'boolean', default: false } } }).values;
const root = dirname(import.meta.dirname);
const targets = await readTargetNames(root);
for (const name of taskNames(root)) {
  const file = join(root, 'tasks', name, 'task.json');
  writeFileSync(file, textWithTargets(readFileSync(file, 'utf8'), targets));
}

const outFolder = mkdtempSync(join(tmpdir(), 'scoped-token-version-'));
try {
  const { tasks } = await buildExtension({ root, outFolder, variant: parseVariant([]) });
  let records = readVersionRecords(root);
  for (const task of tasks) {
    records = recordVersion(records, task, publish);
    console.log(`${task.name} ${task.version}: ${task.sha256}${publish ? ', published' : ''}`);
  }
  writeVersionRecords(root, records);
} finally {
  rmSync(outFolder, { recursive: true, force: true });
}
