import type { Pipeline } from '../pipeline/pipeline.ts';

/** Name of the secret task variable that the main stage leaves for the post-job stage. */
const stateVariable = 'ScopedTokenState';

/** One try of the main stage. A retried step runs it again, so there is a list. */
export interface TryState {
  readonly try: number;
  /** The ledger's file. */
  readonly file: string;
  /** Hash of the ledger's last record. */
  readonly head: string;
  /** Name of the attachment. */
  readonly attachment: string;
  readonly evidence: 'attached' | 'confirmed';
}

/** What earlier tries of this step left; empty for the first. */
export function readTries(pipeline: Pipeline): readonly TryState[] {
  const stored = pipeline.taskVariable(stateVariable)?.reveal();
  if (!stored) return [];
  const tries: unknown = JSON.parse(stored);
  return Array.isArray(tries) ? (tries as TryState[]) : [];
}

/** Stores a try: in place of its earlier state, or as the last one. */
export function storeTry(pipeline: Pipeline, state: TryState): void {
  const others = readTries(pipeline).filter((other) => other.try !== state.try);
  pipeline.setTaskVariable(stateVariable, JSON.stringify([...others, state]));
}
