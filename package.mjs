// `npm run package [-- --dev] [-- --publisher NAME]`: builds, stages and packs the extension into dist/*.vsix.
import { join, relative } from 'node:path';
import { register } from 'tsx/esm/api';

register();
const { packageExtension, SIZE_LIMIT_BYTES } = await import('./packaging/package.ts');
const { parseVariant } = await import('./packaging/variant.ts');

const root = import.meta.dirname;
const { vsixFile, sizeBytes, build } = await packageExtension({
  root,
  outFolder: join(root, 'dist'),
  variant: parseVariant(process.argv.slice(2)),
});
for (const { name, version, id } of build.tasks) {
  console.log(`${name} ${version} (${id})`);
}
console.log(`${relative(root, vsixFile)}: ${sizeBytes} bytes of at most ${SIZE_LIMIT_BYTES}`);
