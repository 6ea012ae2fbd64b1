/** A source file as the architecture rules see it: its syntax tree, read with the TypeScript compiler. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** One file; `path` is relative to the repository's root, with forward slashes. */
export interface Source {
  readonly path: string;
  readonly tree: ts.SourceFile;
}

/** One import, re-export, dynamic import or import type. */
export interface Import {
  readonly specifier: string;
  /** Nothing of it is left at run time. */
  readonly isTypeOnly: boolean;
  readonly line: number;
}

/** Parses a text as if it stood at `path`. */
export function parseSource(path: string, text: string): Source {
  const kind = path.endsWith('.mjs') ? ts.ScriptKind.JS : ts.ScriptKind.TS;
  return { path, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true, kind) };
}

/** All `.ts` and `.mjs` files below the given folders; of the root itself only what lies directly in it. */
export function readSources(root: string, folders: readonly string[]): readonly Source[] {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: folder !== '.', encoding: 'utf8' }).map((name) =>
      posix.join(folder, name),
    ),
  );
  return paths
    .filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes('node_modules/'))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

/** Calls `visit` for every node of the file, parents first. */
export function walk(source: Source, visit: (node: ts.Node) => void): void {
  const step = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, step);
  };
  step(source.tree);
}

/** Line of a node, counted from 1. */
export function lineOf(source: Source, node: ts.Node): number {
  return source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1;
}

/** `path:line: what`, as every rule reports. */
export function violation(source: Source, node: ts.Node, what: string): string {
  return `${source.path}:${lineOf(source, node)}: ${what}`;
}

/** Everything that the file imports, in whatever form. */
export function importsOf(source: Source): readonly Import[] {
  const imports: Import[] = [];
  walk(source, (node) => {
    const found = importOf(node);
    if (found !== undefined) {
      imports.push({ ...found, line: lineOf(source, node) });
    }
  });
  return imports;
}

/** The path that a relative specifier leads to, relative to the root; undefined for a package. */
export function importedPath(source: Source, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(source.path), specifier) : undefined;
}

function importOf(node: ts.Node): Omit<Import, 'line'> | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, isTypeOnly: isTypeOnlyClause(node.importClause) };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    const names =
      node.exportClause !== undefined && ts.isNamedExports(node.exportClause) ? node.exportClause : undefined;
    const isTypeOnly = node.isTypeOnly || (names?.elements.every((element) => element.isTypeOnly) ?? false);
    return { specifier: node.moduleSpecifier.text, isTypeOnly };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, isTypeOnly: true };
  }
  if (ts.isCallExpression(node)) {
    const [argument] = node.arguments;
    const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require';
    if (isImport && argument !== undefined && ts.isStringLiteralLike(argument)) {
      return { specifier: argument.text, isTypeOnly: false };
    }
  }
  return undefined;
}

function isTypeOnlyClause(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) {
    return false;
  }
  const { name, namedBindings } = clause;
  const names = namedBindings !== undefined && ts.isNamedImports(namedBindings) ? namedBindings.elements : [];
  const areAllTypes = names.length > 0 && names.every((element) => element.isTypeOnly);
  return clause.isTypeOnly || (name === undefined && areAllTypes);
}
