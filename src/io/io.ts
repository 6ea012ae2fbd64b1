import type { Http } from './http.ts';

/** Time. `now` may jump when the machine's clock is set; the monotonic clock never does. */
export interface Clock {
  now(): Date;
  monotonicMilliseconds(): number;
  /** Resolves after that time, or rejects with CANCELLED when the step is cancelled. */
  sleep(milliseconds: number): Promise<void>;
}

/** The few things that steps do with files. Paths are absolute. */
export interface Files {
  /** Creates the file with mode 0600; fails when it exists. */
  create(path: string, text: string): Promise<void>;
  append(path: string, text: string): Promise<void>;
  /** Reads a regular file; fails for anything else. */
  read(path: string): Promise<string>;
  /** Joins a folder and a file name. */
  join(folder: string, name: string): string;
}

/** The time as the servers see it, in milliseconds since 1970: tokens are judged by their clocks. */
export function serverTime({ clock, http }: Pick<Io, 'clock' | 'http'>): number {
  return clock.now().getTime() - (http.skewSeconds() ?? 0) * 1000;
}

/** The rest of the world, handed to whatever needs it. */
export interface Io {
  readonly clock: Clock;
  readonly files: Files;
  readonly http: Http;
  /** A random UUID (RFC 9562 §5.4). */
  uuid(): string;
  /** Aborted when the agent cancels the step (SIGINT, SIGTERM). */
  readonly cancelled: AbortSignal;
}
