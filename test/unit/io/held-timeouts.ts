/** Holds the process's timeouts until a test lets time pass. Node's own timers, and mocha's, go on. */
export class HeldTimeouts {
  readonly #original = globalThis.setTimeout;
  readonly #originalClear = globalThis.clearTimeout;
  readonly #held = new Map<object, { at: number; run: () => void }>();
  #now = 0;

  constructor() {
    const hold = (run: () => void, milliseconds = 0) => {
      const handle = {};
      this.#held.set(handle, { at: this.#now + milliseconds, run });
      return handle;
    };
    globalThis.setTimeout = hold as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((handle: object) => void this.#held.delete(handle)) as typeof clearTimeout;
  }

  /** How many are waited for. */
  get count(): number {
    return this.#held.size;
  }

  /** Lets time pass, and runs what is due. */
  pass(milliseconds: number): void {
    this.#now += milliseconds;
    for (const [handle, { at, run }] of [...this.#held]) {
      if (at > this.#now) continue;
      this.#held.delete(handle);
      run();
    }
  }

  /** Puts the real ones back. */
  restore(): void {
    globalThis.setTimeout = this.#original;
    globalThis.clearTimeout = this.#originalClear;
  }
}
