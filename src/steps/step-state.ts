import { ScopedTokenError } from '../errors.ts';
import type { JobContext } from '../pipeline/job-context.ts';
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
  /** The job as the main stage knew it, because a later step can rewrite its variables. */
  readonly job: JobContext;
}

/** What earlier tries of this step left; empty for the first. LEDGER_TAMPERED when it is nothing that this task left. */
export function readTries(pipeline: Pipeline): readonly TryState[] {
  const stored = pipeline.taskVariable(stateVariable)?.reveal();
  if (!stored) return [];
  const tries = parsed(stored);
  if (Array.isArray(tries) && tries.every(isTryState)) return tries;
  throw new ScopedTokenError('LEDGER_TAMPERED', {
    happened: 'What the main stage left for the later stages of this step cannot be read.',
    why: 'Something of this job wrote in its place.',
    next: `Find the step that sets ${stateVariable}, and remove it. The records stand in the log of the step.`,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTryState(value: unknown): value is TryState {
  const {
    try: count,
    file,
    head,
    attachment,
    evidence,
    job,
  } = (value ?? {}) as Partial<Record<keyof TryState, unknown>>;
  const texts = [file, head, attachment, evidence];
  const isJob = typeof job === 'object' && job !== null && typeof (job as Partial<JobContext>).tempFolder === 'string';
  return typeof count === 'number' && texts.every((text) => typeof text === 'string') && isJob;
}

/** Stores a try: in place of its earlier state, or as the last one. */
export function storeTry(pipeline: Pipeline, state: TryState): void {
  const others = readTries(pipeline).filter((other) => other.try !== state.try);
  pipeline.setTaskVariable(stateVariable, JSON.stringify([...others, state]));
}
