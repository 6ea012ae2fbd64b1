/**
 * Gives a child process the task library as the packaged task has it: as a default export. The loader that the tests run
 * on takes apart the default export of a CommonJS package that carries the mark `__esModule`; a copy carries none.
 */
import { createRequire, register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const library = 'azure-pipelines-task-lib/task.js';

if (isMainThread) register(import.meta.url);

/** Finds the wrapper in place of the library. */
export async function resolve(specifier, context, nextResolve) {
  if (specifier !== library || !context.parentURL?.endsWith('.ts')) return nextResolve(specifier, context);
  const file = createRequire(import.meta.url).resolve(library);
  const source = `import { createRequire } from 'node:module'; export default { ...createRequire(${JSON.stringify(file)})(${JSON.stringify(file)}) };`;
  return { url: `data:text/javascript,${encodeURIComponent(source)}`, shortCircuit: true };
}
