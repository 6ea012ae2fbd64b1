/** A copy of the environment that this process was started with. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return { ...process.env };
}

/**
 * Aborted at the first SIGINT or SIGTERM, which is how the agent cancels a step: SIGINT, 7.5 s later SIGTERM, 2.5 s
 * later the end. The process lives on to say what it left.
 */
export function cancellationSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

/** Prints lines before anything else is loaded. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * Ends the process once standard output is written out. Sockets that are kept alive would otherwise hold it, and a
 * step that lingers is a step that costs.
 */
export function endProcess(): void {
  process.stdout.write('', () => process.exit(process.exitCode ?? 0));
}
