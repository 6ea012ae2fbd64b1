import { appendRecord, head, type Ledger, startLedger } from '../audit/ledger.ts';
import { headLogLine, recordLogLines } from '../audit/logging.ts';
import type { AuditRecord } from '../audit/record.ts';
import { type ErrorText, ScopedTokenError } from '../errors.ts';
import type { JobContext } from '../pipeline/job-context.ts';
import { putAttachment } from './evidence.ts';
import { type DraftBase, type DraftEvent, draftRecord } from './record-draft.ts';
import type { Stage } from './stage.ts';
import { readTries, storeTry } from './step-state.ts';
import type { EvidenceMode } from './token-request.ts';

/** Type of the attachments that hold a ledger. */
export const ledgerType = 'scoped-token.ledger';

/**
 * The ledger of one try of the main stage. A record is printed in the log, then written to the file, then its hash is
 * left for the post-job stage: whatever breaks in between, the log has it.
 */
export class StepLedger {
  readonly #stage: Stage;
  readonly #job: JobContext;
  readonly #file: string;
  readonly #attachment: string;
  readonly try: number;
  /** How the ledger leaves the step. */
  evidence: EvidenceMode = 'attached';
  #ledger: Ledger = startLedger();
  /** How much of the ledger's text stands in the file. */
  #writtenLength = 0;
  #isAttached = false;

  constructor(stage: Stage, job: JobContext) {
    this.#stage = stage;
    this.#job = job;
    this.try = readTries(stage.pipeline).reduce((most, state) => Math.max(most, state.try), 0) + 1;
    this.#attachment = `${job.stepId}-${job.jobAttempt}-${this.try}-main.jsonl`;
    this.#file = stage.io.files.join(job.tempFolder, `scoped-token-${this.#attachment}`);
  }

  /** Adds a record and writes it out. The first record is the intent, or the failure that came before it. LEDGER_WRITE. */
  async add(base: DraftBase, event: DraftEvent): Promise<AuditRecord> {
    const { pipeline, io } = this.#stage;
    const intentId = this.#ledger.records[0]?.recordId;
    this.#ledger = appendRecord(this.#ledger, draftRecord(base, event, intentId, io), pipeline.secrets());
    const record = this.#ledger.records.at(-1);
    if (!record) throw writeFailure(undefined);
    if (record.event !== 'intent') pipeline.group(`Scoped Token record: ${record.event}`, recordLogLines(record));
    await this.#write();
    storeTry(pipeline, {
      try: this.try,
      file: this.#file,
      head: head(this.#ledger),
      attachment: this.#attachment,
      evidence: this.evidence,
      job: { ...this.#job, facts: {} },
    });
    return record;
  }

  /** Writes what the file lacks: also the lines of a write that failed before. */
  async #write(): Promise<void> {
    const { files } = this.#stage.io;
    const { text } = this.#ledger;
    const lines = text.slice(this.#writtenLength);
    try {
      if (this.#writtenLength > 0) await files.append(this.#file, lines);
      else await files.create(this.#file, lines);
      this.#writtenLength = text.length;
    } catch (cause) {
      throw writeFailure(cause);
    }
  }

  /** Hands the ledger over, as the input `evidence` says. EVIDENCE_NOT_CONFIRMED when the server does not confirm it. */
  async handOver(): Promise<void> {
    if (this.evidence === 'attached') return this.attach();
    await putAttachment(this.#stage, this.#job, {
      type: ledgerType,
      name: this.#attachment,
      content: this.#ledger.text,
    });
  }

  /** Attaches the file through the agent. It stays as it is from then on, because the agent reads it later. */
  attach(): void {
    if (this.#writtenLength > 0 && !this.#isAttached)
      this.#stage.pipeline.attach(ledgerType, this.#attachment, this.#file);
    this.#isAttached = true;
  }

  /** True once the file is the agent's. */
  get isAttached(): boolean {
    return this.#isAttached;
  }

  printHead(): void {
    this.#stage.pipeline.info(headLogLine(head(this.#ledger), this.#ledger.records.length));
  }
}

const temp = 'the agent’s temp folder (Agent.TempDirectory)';
const reasons: Readonly<Record<string, Pick<ErrorText, 'why' | 'next'>>> = {
  ENOSPC: { why: 'The disk of the agent’s temp folder is full.', next: `Make room in ${temp}, and run again.` },
  EEXIST: {
    why: 'A file of that name is there already: another step of this job, or an earlier run on this agent, left it.',
    next: `Remove scoped-token-* from ${temp}, or find the step that writes it, and run again.`,
  },
};
const otherReason = {
  why: 'The agent’s temp folder cannot be written to.',
  next: `Check that the agent's user may write to ${temp}, and run again.`,
};

/** The record could not be written; without it no token is handed out. */
export function writeFailure(cause: unknown): ScopedTokenError {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const { why, next } = reasons[String(code)] ?? otherReason;
  return new ScopedTokenError(
    'LEDGER_WRITE',
    {
      happened: `The record of this token could not be written${typeof code === 'string' ? ` (${code})` : ''}.`,
      ...(why ? { why } : {}),
      next: `${next} No record, no token: no variable was set.`,
    },
    { cause },
  );
}
