import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from './run-result.ts';

/** Writes the run's summary as one markdown file and every attachment under its own name. Returns the paths. */
export function writeEvidence(result: RunResult, folder: string): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  const write = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    paths.push(path);
  };
  if (result.summary.length > 0) {
    write(
      'summary.md',
      result.summary
        .map(({ content }) => content.trimEnd())
        .join('\n\n---\n\n')
        .concat('\n'),
    );
  }
  const summaries = new Set(result.summary.map(({ name }) => name));
  for (const { step, name, content } of result.attachments) {
    if (!summaries.has(name)) {
      write(`${step}-${name}`, content);
    }
  }
  return paths;
}
