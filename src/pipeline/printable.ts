/**
 * Makes foreign text harmless for the agent's log: no logging command, no formatting tag, no line break, no invisible
 * character that could reorder the line.
 */
export function printable(text: string): string {
  return text
    .replace(/[\r\n\u2028\u2029]+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/##(?=vso\[|\[)/gi, '# # ');
}

/** The same for a text of several lines; line feeds stay. */
export function printableLines(text: string): string[] {
  return text.split(/\r\n|\n|\r/).map(printable);
}
