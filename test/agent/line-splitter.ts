import { StringDecoder } from 'node:string_decoder';

/** Cuts a byte stream into lines as a .NET `StreamReader` does: `\n`, `\r` and `\r\n` all end a line. UTF-8. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #afterCarriageReturn = false;

  /** Lines that this chunk completes. */
  push(chunk: Buffer): string[] {
    return this.#take(this.#decoder.write(chunk));
  }

  /** The last line, where the stream did not end with a line break. */
  end(): string[] {
    const lines = this.#take(this.#decoder.end());
    if (this.#rest !== '') {
      lines.push(this.#rest);
      this.#rest = '';
    }
    return lines;
  }

  #take(decoded: string): string[] {
    let text = decoded;
    if (this.#afterCarriageReturn && text !== '') {
      // The line break may have been cut in two by the chunk's edge.
      text = text.startsWith('\n') ? text.slice(1) : text;
      this.#afterCarriageReturn = false;
    }
    if (text.endsWith('\r')) {
      this.#afterCarriageReturn = true;
    }
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}
