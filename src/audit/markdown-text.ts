import { shortened, visible } from './plain-text.ts';

/**
 * Foreign text as Markdown that shows exactly it: one line, no markup, no HTML, no link, no table border, nothing that the
 * agent would take for a command. Signs with a meaning become numeric character references, which no Markdown renderer
 * reads as markup again (CommonMark §2.5).
 */
export function markdownText(value: string, longest = 300): string {
  return shortened(visible(value), longest)
    .replace(/[&<>|`[\]\\*_~#!$^{}@]/g, reference)
    .replace(/:(?=\/\/)/g, reference)
    .replace(/(?<=www)\./gi, reference)
    .trim();
}

const reference = (character: string) => `&#${character.charCodeAt(0)};`;

const longestList = 3000;

/** A list of foreign texts in one cell or line; what does not fit is counted. */
export function markdownList(values: readonly string[], longest = longestList): string {
  const shown: string[] = [];
  let length = 0;
  for (const value of values) {
    length += Math.min(value.length, 200);
    if (length > longest) break;
    shown.push(markdownText(value, 200));
  }
  const more = values.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** A row of a table; cells are Markdown already. */
export const markdownRow = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => (cell === '' ? ' ' : cell)).join(' | ')} |`;

/** The two lines that begin a table. */
export const markdownTable = (header: readonly string[]): string[] => [
  markdownRow(header),
  markdownRow(header.map(() => '---')),
];
