/**
 * What a step costs: `npm run bench -- [--runs N] [--json FILE]`. The packaged main stage, a bare Node and a minimal
 * program that makes the same calls run in turns; medians are compared as ratios.
 */
import { spawn } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConnections } from '../agent/connections.ts';
import { packagedExtension, root } from '../packaged.ts';
import { startLab } from '../servers/lab.ts';
import { type BenchTarget, type RecordedStage, recordMainStage } from './stage-environment.ts';

/** At most these ratios to the minimal program, on Node 20. */
const bars: Readonly<Record<BenchTarget, number>> = { storage: 2.5, containerRegistry: 2.0 };

interface Figures {
  readonly target: BenchTarget;
  readonly runs: number;
  readonly medianMilliseconds: { readonly node: number; readonly minimal: number; readonly task: number };
  readonly ratioToMinimal: number;
  readonly ratioToNode: number;
  readonly bar: number;
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' }, json: { type: 'string' } } });
const runs = Math.max(10, Number(values.runs) || 10);
const vsix = await packagedExtension();
const lab = await startLab({ connections: readConnections(join(root, 'docs', 'examples', 'connections.yml')) });
try {
  const figures: Figures[] = [];
  for (const target of ['storage', 'containerRegistry'] as const) figures.push(await measure(target));
  report(figures);
} finally {
  await lab.stop();
}

async function measure(target: BenchTarget): Promise<Figures> {
  const stage = await recordMainStage(lab, vsix, target);
  try {
    const times = { node: [] as number[], minimal: [] as number[], task: [] as number[] };
    // One round more than is counted: the first one warms the machine's caches.
    for (let round = 0; round <= runs; round += 1) {
      const taken = await takeTurns(stage);
      if (round > 0) for (const name of ['node', 'minimal', 'task'] as const) times[name].push(taken[name]);
    }
    const medianMilliseconds = { node: median(times.node), minimal: median(times.minimal), task: median(times.task) };
    const { node, minimal, task } = medianMilliseconds;
    return {
      target,
      runs,
      medianMilliseconds,
      ratioToMinimal: task / minimal,
      ratioToNode: task / node,
      bar: bars[target],
    };
  } finally {
    await stage.remove();
  }
}

async function takeTurns(stage: RecordedStage): Promise<{ node: number; minimal: number; task: number }> {
  await stage.clear();
  const node = await timed(['-e', '0'], stage);
  const minimal = await timed([join(root, 'test', 'bench', 'minimal-program.mjs')], stage, '##vso[task.setsecret]');
  const task = await timed([stage.script], stage, '##vso[task.complete result=Succeeded;]');
  return { node, minimal, task };
}

function timed(args: readonly string[], stage: RecordedStage, mustSay = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, args, {
      env: { ...stage.environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const milliseconds = performance.now() - start;
      if (code === 0 && output.includes(mustSay)) resolve(milliseconds);
      else reject(new Error(`${args.join(' ')} ended with ${code} and did not say ${mustSay}`));
    });
  });
}

function median(numbers: number[]): number {
  const sorted = [...numbers].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function report(figures: readonly Figures[]): void {
  console.log(`Node ${process.versions.node}, ${cpus().length} cores, medians of ${runs} interleaved runs`);
  console.log('target             node -e 0   minimal      task   task/node   task/minimal   at most');
  for (const { target, medianMilliseconds: time, ratioToNode, ratioToMinimal, bar } of figures) {
    const cells = [time.node, time.minimal, time.task].map((value) => `${value.toFixed(0)} ms`.padStart(9));
    console.log(
      `${target.padEnd(18)} ${cells.join(' ')} ${ratioToNode.toFixed(2).padStart(11)} ${ratioToMinimal.toFixed(2).padStart(14)} ${bar.toFixed(1).padStart(9)}`,
    );
  }
  const bytes = sizes();
  console.log(`package ${bytes.vsix} bytes, of which the task's files unpacked ${bytes.task} bytes`);
  if (values.json)
    writeFileSync(
      values.json,
      `${JSON.stringify({ node: process.versions.node, cores: cpus().length, figures, bytes }, undefined, 2)}\n`,
    );
  const missed = figures.filter(({ ratioToMinimal, bar }) => ratioToMinimal > bar);
  for (const { target } of missed) console.log(`${target} misses its bar`);
  process.exitCode = missed.length === 0 ? 0 : 1;
}

function sizes(): { vsix: number; task: number } {
  const folder = join(root, 'dist', 'extension', 'tasks', 'ScopedToken');
  const task = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  return { vsix: statSync(vsix).size, task };
}
