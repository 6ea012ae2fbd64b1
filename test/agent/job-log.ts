import type { SecretMasker } from './secret-masker.ts';

/** The job's log: every line masked, as the server gets it. */
export class JobLog {
  readonly #masker: SecretMasker;
  readonly #onLine: (line: string) => void;
  readonly lines: string[] = [];

  constructor(masker: SecretMasker, onLine: (line: string) => void) {
    this.#masker = masker;
    this.#onLine = onLine;
  }

  /** One line, or several at once; masked as one text, as the agent does. */
  write(text: string): void {
    this.#append(this.#masker.mask(text));
  }

  /** The header of a task, which the agent prints without masking. */
  writeUnmasked(text: string): void {
    this.#append(text);
  }

  section(text: string): void {
    this.write(`##[section]${text}`);
  }

  #append(text: string): void {
    for (const line of text.split(/\r\n|\n|\r/)) {
      this.lines.push(line);
      this.#onLine(line);
    }
  }
}
