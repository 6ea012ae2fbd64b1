import type { Secret } from './secret.ts';

/** How a narrowing holds: product terms, never more than is true. */
export type Enforcement = 'issuer' | 'broker' | 'bounded' | 'none';

/** How the enforcement `issuer` is known. */
export type Proof = 'readBack' | 'constructed' | 'assumed';

/** A credential that became less. Rights are lines in the scope grammar. */
export interface NarrowedToken {
  readonly value: Secret;
  /** Further values to mask, such as a signature that stands inside the value. */
  readonly maskAlso: readonly Secret[];
  readonly granted: readonly string[];
  /** Declared, but not granted. */
  readonly missing: readonly string[];
  /** Granted, but not declared. */
  readonly excess: readonly string[];
  readonly enforcement: Enforcement;
  readonly proof: Proof;
  /** What the proof does not cover. */
  readonly notChecked: readonly string[];
  readonly expiresOn: Date;
  /** Ids that the target's own log holds, by name. */
  readonly ids: Readonly<Record<string, string>>;
  /** What the author should know, a sentence each. */
  readonly warnings: readonly string[];
}
