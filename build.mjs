// `node build.mjs [--dev] [--publisher NAME]`: stages the extension in dist/extension, without packing it.
import { join } from 'node:path';
import { register } from 'tsx/esm/api';

register();
const { buildExtension } = await import('./packaging/build.ts');
const { parseVariant } = await import('./packaging/variant.ts');

const root = import.meta.dirname;
const { stagedFolder, tasks } = await buildExtension({
  root,
  outFolder: join(root, 'dist'),
  variant: parseVariant(process.argv.slice(2)),
});
console.log(`${tasks.map(({ name, version }) => `${name} ${version}`).join(', ')} staged in ${stagedFolder}`);
