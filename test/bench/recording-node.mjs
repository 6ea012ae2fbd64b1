#!/usr/bin/env node
// Stands in for the handler's Node: writes down the environment that a stage was given, then runs the stage.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const script = process.argv[2];
writeFileSync(join(process.env.BENCH_FOLDER, `${basename(script)}.json`), JSON.stringify(process.env), { mode: 0o600 });
const { status } = spawnSync(process.env.BENCH_NODE, process.argv.slice(2), {
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exit(status ?? 1);
