/** Characters that end a line, move a cursor, are not shown, or make text look other than it is. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Foreign text for a log or a terminal: one line, no control and no invisible characters, nothing that the agent takes for
 * a command (`##vso[`) or a format (`##[`), at most `longest` characters.
 */
export function plainText(value: string, longest = 300): string {
  return shortened(visible(value), longest).replace(/##(?=vso|\[)/gi, '**');
}

/** Line ends and control characters as blanks, invisible ones as U+FFFD. */
export function visible(value: string): string {
  return value.replace(unsafe, (character) => (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(character) ? ' ' : '\ufffd'));
}

/** At most `longest` characters, with a note of how many were left out. */
export function shortened(value: string, longest: number): string {
  const characters = Array.from(value);
  if (characters.length <= longest) return value;
  return `${characters.slice(0, longest).join('')}… (${characters.length - longest} more)`;
}
