import { cancellation } from '../../../src/io/cancellation.ts';
import type { Clock } from '../../../src/io/io.ts';

/** A clock that moves only when it is told to, or when somebody sleeps. */
export class FakeClock implements Clock {
  /** How long was slept, in milliseconds, in order. */
  readonly slept: number[] = [];
  /** Called at every sleep, before the time moves. */
  onSleep: (milliseconds: number) => void = () => undefined;
  readonly #cancelled: AbortSignal | undefined;
  #wall: number;
  #monotonic = 1_000;

  constructor(now = '2026-03-01T12:00:00.000Z', cancelled?: AbortSignal) {
    this.#wall = Date.parse(now);
    this.#cancelled = cancelled;
  }

  now(): Date {
    return new Date(this.#wall);
  }

  monotonicMilliseconds(): number {
    return this.#monotonic;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds);
    this.onSleep(milliseconds);
    if (this.#cancelled?.aborted) throw cancellation();
    this.advance(milliseconds);
  }

  /** Lets time pass on both clocks. */
  advance(milliseconds: number): void {
    this.#wall += milliseconds;
    this.#monotonic += milliseconds;
  }

  /** Sets the wall clock, as an administrator would; the monotonic clock goes on. */
  set(now: string): void {
    this.#wall = Date.parse(now);
  }
}
