import { writeFileSync } from 'node:fs';
import { readArguments } from './cli-arguments.ts';
import { readConnections } from './connections.ts';
import { writeEvidence } from './evidence-files.ts';
import { loadPipeline } from './pipeline-file.ts';
import { PipelineRefused } from './refusal.ts';
import { runPipeline } from './run-pipeline.ts';
import type { RunResult } from './run-result.ts';

function printEnd(result: RunResult): void {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print('');
  for (const step of result.steps) {
    print(`${step.result.padEnd(20)} ${`${step.durationMilliseconds} ms`.padStart(9)}  ${step.displayName}`);
  }
  for (const { name, step } of result.lostAttachments) {
    print(`lost attachment: ${name} of step ${step}`);
  }
  for (const defect of result.defects) {
    print(`defect: ${defect}`);
  }
  for (const { pid, name, endedBy } of result.orphans) {
    print(
      `left running: ${name} (${pid}), ended by ${endedBy === 'standIn' ? 'this stand-in only' : `the ${endedBy}`}`,
    );
  }
  for (const host of result.refusedHosts) {
    print(`refused host: ${host}`);
  }
  for (const { where, kind, form } of result.leaks) {
    print(`leak: ${kind} (${form}) in ${where}`);
  }
  print(`Job result: ${result.result}`);
}

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  const connections = readConnections(args.connections);
  // Mistakes of the file are told before any server starts.
  loadPipeline(args.pipeline);
  const { startLab } = await import('../servers/lab.ts');
  const lab = await startLab();
  try {
    const result = await runPipeline({
      vsix: args.vsix,
      pipeline: args.pipeline,
      connections,
      variables: args.variables,
      server: lab,
      scriptEnvironment: lab.clientEnvironment(),
      log: (line) => process.stdout.write(`${line}\n`),
    });
    printEnd(result);
    if (args.out !== undefined) {
      for (const path of writeEvidence(result, args.out)) {
        process.stdout.write(`wrote ${path}\n`);
      }
    }
    if (args.json !== undefined) {
      writeFileSync(args.json, `${JSON.stringify(result, undefined, 2)}\n`);
      process.stdout.write(`wrote ${args.json}\n`);
    }
    return result.ok && (result.result === 'Succeeded' || result.result === 'SucceededWithIssues') ? 0 : 1;
  } finally {
    await lab.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof PipelineRefused)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
