import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

/** What a command of the command line tool may touch. */
export interface CommandWorld {
  /** A file's bytes; rejects when it cannot be read. */
  readFile(path: string): Promise<Uint8Array>;
  /** All of standard input. */
  readInput(): Promise<Uint8Array>;
  /** Results; written as they are. */
  write(text: string): void;
  /** What goes wrong; written as it is. */
  writeError(text: string): void;
}

/** A program: its arguments and the world in, its exit status out. */
export type Program = (words: readonly string[], world: CommandWorld) => Promise<number>;

/** Runs a program as this process: its arguments, its streams, its exit status. */
export async function runAsProcess(program: Program): Promise<void> {
  // a reader that stops early (`| head`) is no failure of ours
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  process.exitCode = await program(process.argv.slice(2), {
    readFile: (path) => readFile(path),
    readInput: () => buffer(process.stdin),
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
  });
}
