import { randomUUID } from 'node:crypto';
import { appendFile, constants, open, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cancellation } from './cancellation.ts';
import type { Clock, Files, Io } from './io.ts';
import { createHttp } from './node-http.ts';
import type { NetworkSettings } from './routes.ts';

/** Connects the step to the real world. */
export function nodeIo(settings: NetworkSettings, cancelled: AbortSignal): Io {
  const clock = nodeClock(cancelled);
  return { clock, files: nodeFiles(), http: createHttp(settings, clock, cancelled), uuid: randomUUID, cancelled };
}

function nodeClock(cancelled: AbortSignal): Clock {
  return {
    now: () => new Date(),
    // `performance` would load a part of Node that nothing else here needs.
    monotonicMilliseconds: () => Number(process.hrtime.bigint() / 1_000_000n),
    async sleep(milliseconds) {
      try {
        await delay(milliseconds, undefined, { signal: cancelled });
      } catch {
        throw cancellation();
      }
    },
  };
}

/** A write that a full disk cuts short is taken back, so that the file holds whole records only. */
async function appendWhole(path: string, text: string): Promise<void> {
  const { size } = await stat(path);
  try {
    await appendFile(path, text);
  } catch (error) {
    await truncate(path, size);
    throw error;
  }
}

/** A ledger has some kilobytes. */
const longestFileBytes = 16 * 1024 * 1024;

/** Reads what was left as a file, and nothing that a step put in its place: a link, a pipe, a device. */
async function readRegularFile(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > longestFileBytes) throw new Error('It is not the file that was left.');
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function nodeFiles(): Files {
  return {
    create: (path, text) => writeFile(path, text, { mode: 0o600, flag: 'wx' }),
    append: appendWhole,
    read: readRegularFile,
    join: (folder, name) => join(folder, name),
  };
}
