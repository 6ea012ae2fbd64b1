/** One task's stages as ES modules: minified, split, the same bytes each time. */
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { oneCopyOfEach } from './one-copy.ts';

/** The agent's stages of a task: each is an entry point `<stage>.ts` in the task's folder. */
export const STAGES = ['pre', 'main', 'post'] as const;

/** What bundling one task yields; nothing has been written yet. */
export interface TaskBundle {
  /** File name (`main.mjs`, `chunk-….mjs`) to its bytes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** File name (`main.mjs.map`) to its bytes; these stay out of the package. */
  readonly maps: ReadonlyMap<string, Uint8Array>;
  /** esbuild's account of what went where; paths are relative to the root. */
  readonly metafile: Metafile;
}

// CommonJS dependencies call `require` for Node's own modules, and an ES module has none.
const REQUIRE_BANNER =
  "import{createRequire as scopedTokenRequire}from'node:module';const require=scopedTokenRequire(import.meta.url);";

// With the prefix on every import of Node's own modules, "loads nothing but node: modules" can be read off the bundle.
const nodePrefix: Plugin = {
  name: 'node-prefix',
  setup(builder) {
    builder.onResolve({ filter: /^[a-z]/ }, ({ path }) => {
      const isNodeModule = isBuiltin(path) || path.startsWith('node:');
      return isNodeModule ? { path: `node:${path.replace(/^node:/, '')}`, external: true } : undefined;
    });
  },
};

/**
 * Bundles the stages of the task in `tasks/<taskName>`. Each stage is bundled by itself: shared between stages, the code
 * falls into many more files, and every file that a stage opens costs it about half a millisecond.
 * @throws esbuild's BuildFailure, when a module is missing or cannot be parsed
 */
export async function bundleTask(root: string, taskName: string): Promise<TaskBundle> {
  const files = new Map<string, Uint8Array>();
  const maps = new Map<string, Uint8Array>();
  const metafile: Metafile = { inputs: {}, outputs: {} };
  for (const stage of STAGES) {
    const result = await bundleStage(root, join('tasks', taskName, `${stage}.ts`));
    for (const file of result.outputFiles) {
      const name = basename(file.path);
      (name.endsWith('.map') ? maps : files).set(name, file.contents);
    }
    Object.assign(metafile.inputs, result.metafile.inputs);
    Object.assign(metafile.outputs, result.metafile.outputs);
  }
  return { files, maps, metafile };
}

function bundleStage(root: string, entryPoint: string) {
  return build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outdir: join('dist', 'bundle'),
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    outExtension: { '.js': '.mjs' },
    entryNames: '[name]',
    chunkNames: 'chunk-[hash]',
    minify: true,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: true,
    metafile: true,
    // A library asks whether a request's body is a form; on Node 20 the question alone loads Node's whole fetch client.
    define: { FormData: 'undefined' },
    banner: { js: REQUIRE_BANNER },
    plugins: [nodePrefix, oneCopyOfEach(root)],
    logLevel: 'silent',
  });
}
