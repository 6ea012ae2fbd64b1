/** The notices of other people's software that the package carries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundledPackage, licenceFiles } from './bundled-packages.ts';

// Licences that ask for no more than their text and a notice. Anything else needs a decision, not a build.
const PERMISSIVE = new Set(['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0']);

/** What stands in the way of shipping these packages, one sentence each: a licence not on the list, or no licence text. */
export function noticeProblems(root: string, packages: readonly BundledPackage[]): readonly string[] {
  const problems: string[] = [];
  for (const one of packages) {
    if (!PERMISSIVE.has(one.license)) {
      problems.push(`${one.name} ${one.version}: licence "${one.license}" is not on the list of permissive licences`);
    } else if (licenceText(root, one) === undefined) {
      problems.push(`${one.name} ${one.version}: ships no licence text, and its manifest names no author`);
    }
  }
  return problems;
}

/**
 * THIRD-PARTY-NOTICES.txt: every bundled package with version, licence and the licence's text.
 * @throws Error when `noticeProblems` finds any
 */
export function thirdPartyNotices(root: string, packages: readonly BundledPackage[]): string {
  const problems = noticeProblems(root, packages);
  if (problems.length > 0) {
    throw new Error(`Third-party notices cannot be written:\n${problems.join('\n')}`);
  }
  const sections = packages.map((one) => `${'-'.repeat(80)}\n${noticeHead(one)}\n\n${licenceText(root, one)}\n`);
  return ['Scoped Token contains the following packages, each under its own licence.\n', ...sections].join('\n');
}

/** The line that names a package in the notices. */
export function noticeHead(one: BundledPackage): string {
  return `${one.name} ${one.version} (${one.license})`;
}

function licenceText(root: string, one: BundledPackage): string | undefined {
  const shipped = licenceFiles(root, one);
  if (shipped !== undefined || one.license !== 'MIT' || one.author === '') {
    return shipped;
  }
  // Some packages state MIT in their manifest and ship no text. Our own licence is MIT: its terms stand below its copyright line.
  const [, terms] = readFileSync(join(root, 'LICENSE'), 'utf8').split(/^Copyright .*$/m);
  return `MIT License\n\nCopyright (c) ${one.author}${terms?.trimEnd()}`;
}
