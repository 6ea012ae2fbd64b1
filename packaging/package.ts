/** From a staged extension to the .vsix file. */
import { spawn } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type BuildOptions, type BuildResult, buildExtension } from './build.ts';
import { packageFileName } from './variant.ts';

/** The most that the package may weigh; every job of every run fetches its tasks. */
export const SIZE_LIMIT_BYTES = 1_500_000;

/** The package, and the build behind it. */
export interface PackageResult {
  /** Path of the .vsix file. */
  readonly vsixFile: string;
  readonly sizeBytes: number;
  readonly build: BuildResult;
}

/**
 * Builds, stages and packs the extension into `<outFolder>/<name>-<version>.vsix`. Needs no network.
 * @throws Error when the build or tfx fails, or when the package is larger than `SIZE_LIMIT_BYTES`
 */
export async function packageExtension(options: BuildOptions): Promise<PackageResult> {
  const build = await buildExtension(options);
  const vsixFile = join(options.outFolder, packageFileName(options.variant, build.version));
  rmSync(vsixFile, { force: true });
  await runTfx(build.stagedFolder, vsixFile);
  const sizeBytes = statSync(vsixFile).size;
  if (sizeBytes > SIZE_LIMIT_BYTES) {
    throw new Error(`${vsixFile} has ${sizeBytes} bytes; the limit is ${SIZE_LIMIT_BYTES}`);
  }
  return { vsixFile, sizeBytes, build };
}

async function runTfx(stagedFolder: string, vsixFile: string): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve('tfx-cli/package.json');
  const script = join(dirname(manifest), '_build', 'tfx-cli.js');
  const commandLine = ['extension', 'create', '--root', stagedFolder, '--manifests', 'vss-extension.json'];
  commandLine.push('--output-path', vsixFile, '--no-prompt', '--no-color');
  const tfx = spawn(process.execPath, [script, ...commandLine], {
    cwd: stagedFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  tfx.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  tfx.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    tfx.on('error', reject).on('close', resolve);
  });
  // tfx warns, and packs nevertheless, where the Marketplace would refuse.
  if (exitCode !== 0 || /^\s*(warning|error):/im.test(output)) {
    throw new Error(`tfx could not pack ${stagedFolder} cleanly (exit code ${exitCode}):\n${output.trim()}`);
  }
}
