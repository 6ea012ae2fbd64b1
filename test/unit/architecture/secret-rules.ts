/** Where a secret's value leaves its wrapper. */
import ts from 'typescript';
import { type Source, walk } from './source.ts';

/**
 * Every place that names `reveal` of something: `path#function`, once for each function, sorted. The name is enough, called
 * or not, since a method that is handed around is called elsewhere.
 */
export function revealSites(sources: readonly Source[]): readonly string[] {
  const sites = new Set<string>();
  for (const source of sources) {
    walk(source, (node) => {
      const isAccess = ts.isPropertyAccessExpression(node) && node.name.text === 'reveal';
      const isIndex = ts.isElementAccessExpression(node) && literalText(node.argumentExpression) === 'reveal';
      const isTakenOut = ts.isBindingElement(node) && (node.propertyName ?? node.name).getText() === 'reveal';
      if (isAccess || isIndex || isTakenOut) {
        sites.add(`${source.path}#${enclosingName(node)}`);
      }
    });
  }
  return [...sites].sort();
}

function literalText(node: ts.Expression): string | undefined {
  return ts.isStringLiteralLike(node) ? node.text : undefined;
}

// The outermost function or member: what stands within it may be rearranged without a new decision.
function enclosingName(node: ts.Node): string {
  let name = '(top level)';
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isClassDeclaration(at)) {
      name = `${at.name?.text ?? ''}.${name}`;
    } else if (ts.isClassElement(at) || ts.isFunctionDeclaration(at) || isTopLevelVariable(at)) {
      name = (at as ts.NamedDeclaration).name?.getText() ?? name;
    }
  }
  return name;
}

function isTopLevelVariable(node: ts.Node): boolean {
  return ts.isVariableDeclaration(node) && ts.isSourceFile(node.parent.parent.parent);
}
