import { SecretMasker } from './secret-masker.ts';

/** A value that must not be seen, with what it is. */
export interface KnownSecret {
  readonly kind: string;
  readonly value: string;
}

/** Everything that became secret during a run: what the masker hides, and what the leak search looks for. */
export class SecretRegistry {
  readonly masker = new SecretMasker();
  readonly #known = new Map<string, string>();

  /** A secret variable of the job message. */
  addJobSecret(kind: string, value: string): void {
    this.masker.addJobSecret(value);
    this.#remember(kind, value);
  }

  /** A value that a command registered. */
  addRegistered(kind: string, value: string): void {
    this.masker.addValue(value);
    this.#remember(kind, value);
  }

  /** A value that the agent masks although it is no credential, such as a client id. */
  addMaskedOnly(value: string): void {
    this.masker.addValue(value);
  }

  /** A secret that the masker was not told of, so that it would show. */
  addUnmasked(kind: string, value: string): void {
    this.#remember(kind, value);
  }

  /** Registered values by the kind they were first known as. */
  known(): readonly KnownSecret[] {
    return [...this.#known].map(([value, kind]) => ({ kind, value }));
  }

  #remember(kind: string, value: string): void {
    if (!this.#known.has(value)) {
      this.#known.set(value, kind);
    }
  }
}
