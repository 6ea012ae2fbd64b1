import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PipelineRefused } from './refusal.ts';

/** What the command line asks for. */
export interface CliArguments {
  readonly pipeline: string;
  readonly vsix: string;
  readonly connections: string;
  readonly json?: string;
  readonly out?: string;
  /** Pipeline variables, such as `system.debug`. */
  readonly variables: Readonly<Record<string, string>>;
}

export const usage =
  'usage: agent PIPELINE.yml [--vsix FILE] [--connections FILE] [--json FILE] [--out FOLDER] [--variable NAME=VALUE]\n' +
  '  --vsix         extension to run; the newest dist/*.vsix by default\n' +
  '  --connections  service connections; docs/examples/connections.yml by default\n' +
  '  --json         writes steps, variables, issues, attachments, summary, requests and leaks there\n' +
  '  --out          writes the summary and the attachments there\n' +
  '  --variable     sets a pipeline variable, such as system.debug=true; may be given several times';

/** The `.vsix` in a folder that was written last. */
export function newestVsix(folder: string): string {
  let files: string[] = [];
  try {
    files = readdirSync(folder).filter((name) => name.endsWith('.vsix'));
  } catch {
    // No folder is the same as an empty one.
  }
  const newest = files
    .map((name) => join(folder, name))
    .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs)[0];
  if (newest === undefined) {
    throw new PipelineRefused([
      `there is no .vsix in ${folder}: run \`npm run package\` first, or give one with --vsix`,
    ]);
  }
  return newest;
}

/** Reads the arguments. @throws PipelineRefused with the usage where they cannot be used */
export function readArguments(argv: readonly string[]): CliArguments {
  const { values, positionals } = parse(argv);
  const [pipeline, ...more] = positionals;
  if (pipeline === undefined || more.length > 0) {
    throw new PipelineRefused([`exactly one pipeline file is expected\n${usage}`]);
  }
  return {
    pipeline,
    vsix: values.vsix ?? newestVsix('dist'),
    variables: Object.fromEntries((values.variable ?? []).map(readVariable)),
    connections: values.connections ?? join('docs', 'examples', 'connections.yml'),
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(values.out === undefined ? {} : { out: values.out }),
  };
}

function readVariable(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new PipelineRefused([`--variable ${text}: expected NAME=VALUE`]);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { vsix: text, connections: text, json: text, out: text, variable: { type: 'string', multiple: true } },
    });
  } catch (error) {
    throw new PipelineRefused([`${error instanceof Error ? error.message : String(error)}\n${usage}`]);
  }
}
