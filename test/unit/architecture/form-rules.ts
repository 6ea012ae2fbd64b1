/** Size, names and documentation. Each rule returns one line for every violation. */
import ts from 'typescript';
import { type Source, violation, walk } from './source.ts';

const FILE_LINES = 300;
const FUNCTION_LINES = 60;
const POSITIONAL_PARAMETERS = 4;
const DRAWERS = /^(utils?|helpers?|common|managers?|misc)$/i;

/** Files longer than 300 lines. */
export function fileLengthViolations({ path, tree }: Source): readonly string[] {
  const lines = tree.text.replace(/\n$/, '').split('\n').length;
  return lines > FILE_LINES ? [`${path}:1: ${lines} lines, at most ${FILE_LINES}`] : [];
}

/** Functions longer than 60 lines, not counting blank ones. */
export function functionLengthViolations(source: Source): readonly string[] {
  return functionsOf(source).flatMap((node) => {
    const lines = node
      .getText(source.tree)
      .split('\n')
      .filter((line) => line.trim() !== '').length;
    return lines > FUNCTION_LINES
      ? [violation(source, node, `a function of ${lines} lines, at most ${FUNCTION_LINES}`)]
      : [];
  });
}

/** Functions, methods and signatures with more than four positional parameters. */
export function parameterViolations(source: Source): readonly string[] {
  const found: string[] = [];
  walk(source, (node) => {
    if (ts.isFunctionLike(node) && node.parameters.length > POSITIONAL_PARAMETERS) {
      found.push(violation(source, node, `${node.parameters.length} parameters, at most ${POSITIONAL_PARAMETERS}`));
    }
  });
  return found;
}

/** Files and folders that are named like a drawer for leftovers. */
export function nameViolations({ path }: Source): readonly string[] {
  const names = path.split('/').flatMap((segment) => segment.split('.')[0] ?? []);
  const drawers = names.flatMap((name) => name.split('-')).filter((word) => DRAWERS.test(word));
  return drawers.map((word) => `${path}:1: "${word}" says nothing of what is inside`);
}

/** The type `any`. */
export function anyViolations(source: Source): readonly string[] {
  const found: string[] = [];
  walk(source, (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      found.push(violation(source, node, 'the type any'));
    }
  });
  return found;
}

/** Exported declarations without a `/** … *​/` comment of their own. */
export function documentationViolations(source: Source): readonly string[] {
  return source.tree.statements
    .filter((statement) => isExportedDeclaration(statement))
    .filter((statement) => !ts.getJSDocCommentsAndTags(statement).some(ts.isJSDoc))
    .map((statement) => violation(source, statement, 'an export without TSDoc'));
}

function functionsOf(source: Source): readonly ts.Node[] {
  const found: ts.Node[] = [];
  walk(source, (node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      found.push(node);
    }
  });
  return found;
}

function isExportedDeclaration(statement: ts.Statement): boolean {
  // `export { … }` names what is documented where it is declared; the second and later overloads share one comment.
  const isExported = ts.canHaveModifiers(statement)
    ? ts.getModifiers(statement)?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
    : false;
  return isExported === true || ts.isExportAssignment(statement);
}
