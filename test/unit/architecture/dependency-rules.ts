/** Who may import whom, and who may touch the outside world. Each rule returns one line for every violation. */
import { isBuiltin } from 'node:module';
import ts from 'typescript';
import { importedPath, importsOf, type Source, violation, walk } from './source.ts';

// A module of `src` is its folder, or its file where it has none. Left out: `pipeline` and `io` for those who may use
// their interfaces only, see INTERFACES.
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  token: ['errors'],
  ceiling: ['token', 'errors'],
  audit: ['token', 'errors'],
  identity: ['token', 'errors'],
  targets: ['token', 'errors'],
  broker: ['token', 'errors'],
  pipeline: ['token', 'errors'],
  io: ['token', 'errors'],
  steps: ['identity', 'targets', 'ceiling', 'audit', 'broker', 'pipeline', 'io', 'token', 'errors'],
  cli: ['steps', 'audit', 'ceiling', 'io', 'token', 'errors'],
  tab: ['audit'],
  tasks: ['steps', 'pipeline', 'io', 'errors'],
};
const INTERFACES = ['pipeline', 'io'];
const SEES_INTERFACES_ONLY = ['identity', 'targets', 'broker', 'pipeline', 'io'];
const PURE = ['token', 'ceiling', 'audit', 'errors'];
const PURE_PACKAGES = /^@(noble\/hashes|scure\/base)(\/|$)/;
const TASK_LIBRARY = /^azure-pipelines-task-lib(\/|$)/;
const TASK_LIBRARY_HOME = 'src/pipeline/azure-pipelines.ts';
const OUTSIDE_WORLD = /^src\/(io\/|pipeline\/azure-pipelines[^/]*\.ts$)/;
const OUTSIDE_GLOBALS = ['process', 'fetch', 'WebSocket', 'XMLHttpRequest'];

/** The module that a path belongs to: `token`, `errors`, `tasks`; undefined outside of `src` and `tasks`. */
export function moduleOf(path: string): string | undefined {
  return path.startsWith('tasks/') ? 'tasks' : /^src\/([^/.]+)/.exec(path)?.[1];
}

/** Imports against the direction of the dependencies, and modules that no rule knows. */
export function directionViolations(sources: readonly Source[]): readonly string[] {
  const impure = filesThatReachOutside(sources);
  return sources.flatMap((source) => {
    const from = moduleOf(source.path);
    const allowed = from === undefined ? undefined : MAY_IMPORT[from];
    if (from === undefined || allowed === undefined) {
      return [`${source.path}:1: ${from ?? 'this'} is no module that the architecture knows`];
    }
    return importsOf(source).flatMap(({ specifier, isTypeOnly, line }) => {
      const path = importedPath(source, specifier);
      const to = path === undefined ? undefined : moduleOf(path);
      if (path === undefined || to === from || (to !== undefined && allowed.includes(to))) {
        return [];
      }
      const isInterface = SEES_INTERFACES_ONLY.includes(from) && INTERFACES.includes(to ?? '');
      if (isInterface && (isTypeOnly || !impure.has(path))) {
        return [];
      }
      const detail = isInterface ? `${path}, which is more than an interface` : path;
      return [`${source.path}:${line}: ${from} may not import ${detail}`];
    });
  });
}

/** The task library anywhere but in its one home; a type counts too. */
export function taskLibraryViolations(source: Source): readonly string[] {
  return importsOf(source)
    .filter(({ specifier }) => TASK_LIBRARY.test(specifier) && source.path !== TASK_LIBRARY_HOME)
    .map(({ line }) => `${source.path}:${line}: azure-pipelines-task-lib is imported in ${TASK_LIBRARY_HOME} only`);
}

/** Node's modules, `process` and `fetch` outside of `src/io` and `src/pipeline/azure-pipelines*.ts`; a type counts too. */
export function outsideWorldViolations(source: Source): readonly string[] {
  return OUTSIDE_WORLD.test(source.path) ? [] : outsideUses(source);
}

/** Packages, in the pure modules, that are not on the short list of pure packages. */
export function purityViolations(source: Source): readonly string[] {
  if (!PURE.includes(moduleOf(source.path) ?? '')) {
    return [];
  }
  return importsOf(source)
    .filter(({ specifier }) => !specifier.startsWith('.') && !PURE_PACKAGES.test(specifier))
    .map(({ specifier, line }) => `${source.path}:${line}: a pure module may not import ${specifier}`);
}

function outsideUses(source: Source): readonly string[] {
  const found = importsOf(source)
    .filter(({ specifier }) => isBuiltin(specifier))
    .map(({ specifier, line }) => `${source.path}:${line}: ${specifier} belongs in src/io`);
  const declared = declaredNames(source);
  walk(source, (node) => {
    if (isGlobalUse(node) && !declared.has(node.text)) {
      found.push(violation(source, node, `${node.text} belongs in src/io`));
    }
  });
  return found;
}

// Files of `pipeline` and `io` that touch the outside world themselves, or by what they import.
function filesThatReachOutside(sources: readonly Source[]): ReadonlySet<string> {
  const reached = new Set(sources.filter((source) => outsideUses(source).length > 0).map(({ path }) => path));
  const usesTaskLibrary = sources.filter(({ path }) => path === TASK_LIBRARY_HOME);
  for (const { path } of usesTaskLibrary) {
    reached.add(path);
  }
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const source of sources) {
      const values = importsOf(source).filter((one) => !one.isTypeOnly);
      if (values.some(({ specifier }) => reached.has(importedPath(source, specifier) ?? ''))) {
        reached.add(source.path);
      }
    }
  }
  return reached;
}

function isGlobalUse(node: ts.Node): node is ts.Identifier {
  if (!ts.isIdentifier(node) || !OUTSIDE_GLOBALS.includes(node.text)) {
    return false;
  }
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return ts.isIdentifier(parent.expression) && ['globalThis', 'global'].includes(parent.expression.text);
  }
  const isMemberName = 'name' in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent);
  const isRenamed = (ts.isBindingElement(parent) || ts.isImportSpecifier(parent)) && parent.propertyName === node;
  return !isMemberName && !isRenamed;
}

function declaredNames(source: Source): ReadonlySet<string> {
  const names = new Set<string>();
  walk(source, (node) => {
    const isDeclaration =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node);
    if (isDeclaration && node.name !== undefined && ts.isIdentifier(node.name)) {
      names.add(node.name.text);
    }
  });
  return names;
}
