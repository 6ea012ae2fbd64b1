const hidden = '[secret]';

/**
 * A value that must not be printed. Templates, JSON and inspection show `[secret]`; `reveal()` is the only way out and
 * its call sites are pinned by a test.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return hidden;
  }
}
