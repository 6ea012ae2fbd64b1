// `npm run demo`: one pipeline, start to end, on this machine: the packaged task in the agent stand-in, against the
// servers of the tests. It ends by itself.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { register } from 'tsx/esm/api';

register();
const { installDebianPackages } = await import('./test/install-debian.ts');
const { packageExtension } = await import('./packaging/package.ts');
const { parseVariant } = await import('./packaging/variant.ts');

const root = import.meta.dirname;
const out = join('out', 'demo');
const example = join('docs', 'examples', 'first-token.yml');

installDebianPackages((line) => console.log(line));
const { vsixFile } = await packageExtension({ root, outFolder: join(root, 'dist'), variant: parseVariant([]) });
console.log(`Packaged ${relative(root, vsixFile)}; running ${example} with it`);

rmSync(join(root, out), { recursive: true, force: true });
const cli = ['--import', 'tsx', join('test', 'agent', 'cli.ts')];
const commandLine = [...cli, example, '--vsix', vsixFile, '--out', out];
const { status } = spawnSync(process.execPath, commandLine, { cwd: root, stdio: 'inherit' });
if (status === 0) {
  const ledgers = readdirSync(join(root, out)).filter((file) => file.endsWith('-final.jsonl'));
  console.log(`\nThe run's summary:  ${join(out, 'summary.md')}`);
  for (const ledger of ledgers) {
    console.log(`A step's ledger:    ${join(out, ledger)}`);
  }
  console.log(`To check a ledger:  npm run cli -- ledger verify ${join(out, ledgers[0] ?? 'FILE')}`);
}
process.exit(status ?? 1);
