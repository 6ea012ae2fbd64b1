import { appendRecord, head, type Ledger, resumeLedger } from '../audit/ledger.ts';
import { headLogLine, recordLogLines } from '../audit/logging.ts';
import { summaryMarkdown } from '../audit/markdown.ts';
import type { AuditRecord } from '../audit/record.ts';
import { summarise } from '../audit/summary.ts';
import { mangledName } from '../pipeline/environment-guard.ts';
import { compareFrozen, frozenVariable, readFrozenFacts } from '../pipeline/frozen-copy.ts';
import type { JobContext } from '../pipeline/job-context.ts';
import { type Attachment, attachmentNames, putAttachment } from './evidence.ts';
import { draftRecord } from './record-draft.ts';
import { asScopedTokenError, type Stage } from './stage.ts';
import { ledgerType, writeFailure } from './step-ledger.ts';
import { readTries, type TryState } from './step-state.ts';
import { connectionIdOf } from './token-request.ts';

const summaryType = 'Distributedtask.Core.Summary';
/** How often, a second apart, the server is asked whether the main stage's ledger has arrived. */
const arrivalChecks = 3;

/**
 * Post-job stage: says of every token how it ended, completes the ledgers and publishes them with a summary. It reads
 * nothing but what the main stage froze. It never fails the job: what cannot be done is a warning with its reason.
 */
export async function releaseToken(stage: Stage): Promise<void> {
  try {
    await release(stage);
  } catch (error) {
    const known = asScopedTokenError(error);
    stage.pipeline.warning(known.code, known.message.slice(`${known.code}: `.length));
  }
}

async function release(stage: Stage): Promise<void> {
  const forged = stage.refusedVariables.filter((name) => mangledName(name).startsWith('VSTS_TASKVARIABLE_'));
  if (forged.length > 0) {
    stage.pipeline.warning(
      'ENVIRONMENT_REFUSED',
      `A step of this job set ${forged.join(', ')}, in the place of what the main stage left. Nothing is published from it; the records stand in the log.`,
    );
    return;
  }
  const tries = readTries(stage.pipeline);
  const job = tries.at(-1)?.job;
  if (!job) {
    stage.pipeline.info('Nothing to clean up: the main stage requested no token.');
    return;
  }
  const online = isTrusted(stage);
  const delivery: Delivery = {
    isDiskFull: false,
    byRest: online && tries.some((state) => state.evidence === 'confirmed'),
  };
  const records: AuditRecord[] = [];
  let last: { ledger: Ledger; attachment: string } | undefined;
  for (const state of tries) {
    const ledger = await completeTry(stage, state);
    if (!ledger) continue;
    const attachment = state.attachment.replace('-main.jsonl', '-final.jsonl');
    await publish(stage, job, { type: ledgerType, name: attachment, content: ledger.text }, delivery);
    stage.pipeline.info(headLogLine(head(ledger), ledger.records.length));
    records.push(...ledger.records);
    last = { ledger, attachment };
  }
  if (last) {
    const content = summaryMarkdown(summarise(records), {
      head: head(last.ledger),
      count: last.ledger.records.length,
      attachment: last.attachment,
    });
    const name = summaryName(records, job);
    await publish(stage, job, { type: summaryType, name, content }, delivery);
  }
  if (online) await checkArrival(stage, job, tries);
}

/** False, with a warning, when a step changed what decides where credentials go: then nothing is sent any more. */
function isTrusted(stage: Stage): boolean {
  const { pipeline, refusedVariables } = stage;
  try {
    if (refusedVariables.length === 0) {
      compareFrozen(
        pipeline.taskVariable(frozenVariable)?.reveal(),
        readFrozenFacts(pipeline, connectionIdOf(pipeline)),
      );
      return true;
    }
    pipeline.warning(
      'ENVIRONMENT_REFUSED',
      `A step of this job set ${refusedVariables.join(', ')}. The clean-up stays off the network.`,
    );
  } catch (error) {
    const { code, text } = asScopedTokenError(error);
    pipeline.warning(code, `${text.happened} The clean-up stays off the network.`);
  }
  return false;
}

/** Takes up the ledger of a try and adds how its token ended; `undefined`, with a warning, when it is not as it was left. */
async function completeTry(stage: Stage, state: TryState): Promise<Ledger | undefined> {
  const { pipeline, io } = stage;
  try {
    const ledger = resumeLedger(await io.files.read(state.file), state.head);
    const issued = ledger.records.find((record) => record.event === 'issued');
    return issued ? addEnd(stage, ledger, issued) : ledger;
  } catch (error) {
    const known = asScopedTokenError(error);
    const reason = known.code === 'INTERNAL' ? 'Its file cannot be read any more.' : known.text.happened;
    pipeline.warning(
      'LEDGER_TAMPERED',
      `The ledger of try ${state.try} is not as the main stage left it (head ${state.head}). ${reason} It was not extended; its records stand in the log of the step.`,
    );
    return undefined;
  }
}

function addEnd({ pipeline, io }: Stage, ledger: Ledger, issued: AuditRecord): Ledger {
  const { who, what, where, purpose, token } = issued;
  // By the issuer's clock: nothing was asked of a server in this stage yet.
  const skewSeconds = issued.issuer?.skewSeconds ?? 0;
  const expired = token !== undefined && Date.parse(token.expiresOn) <= io.clock.now().getTime() - skewSeconds * 1000;
  const reason = expired
    ? 'The token has expired.'
    : `The token cannot be revoked: it expires at ${token?.expiresOn ?? 'an unknown time'}.`;
  const event = {
    event: expired ? 'expired' : 'notRevocable',
    outcome: { code: 'OK', reason },
    ...(token ? { token } : {}),
  } as const;
  const base = { who, what, where, ...(purpose ? { purpose } : {}) };
  const extended = appendRecord(ledger, draftRecord(base, event, issued.intentId, io), pipeline.secrets());
  const record = extended.records.at(-1);
  if (record) pipeline.group(`Scoped Token record: ${record.event}`, recordLogLines(record));
  pipeline.info(reason);
  return extended;
}

/** How evidence can still leave the stage. */
interface Delivery {
  byRest: boolean;
  /** Said once: what comes after it cannot be written either. */
  isDiskFull: boolean;
}

/** Puts it by REST as long as that works and was asked for, else attaches a file through the agent. */
async function publish(stage: Stage, job: JobContext, attachment: Attachment, delivery: Delivery): Promise<void> {
  const { pipeline, io } = stage;
  if (delivery.byRest) {
    try {
      await putAttachment(stage, job, attachment);
      return;
    } catch (error) {
      delivery.byRest = false;
      const { text } = asScopedTokenError(error);
      pipeline.warning(
        'EVIDENCE_NOT_CONFIRMED',
        `${text.happened} The evidence is attached through the agent instead.`,
      );
    }
  }
  const file = io.files.join(job.tempFolder, `scoped-token-${job.stepId}-${attachment.name.replace(/[^\w.-]/g, '_')}`);
  try {
    await io.files.create(file, attachment.content);
    pipeline.attach(attachment.type, attachment.name, file);
  } catch (cause) {
    if (delivery.isDiskFull) return;
    delivery.isDiskFull = true;
    const { code, text } = writeFailure(cause);
    pipeline.warning(
      code,
      `${text.happened} ${text.why} The evidence of this stage is not published; its records stand in the log.`,
    );
  }
}

/** The name is the heading on the Extensions tab: it tells two uses of the task apart. */
function summaryName(records: readonly AuditRecord[], job: JobContext): string {
  // As the record has them: its texts were searched for secrets.
  const last = records.at(-1);
  const label = `Scoped Token ${last?.where.step ?? ''} ${last?.what.target ?? ''}`
    .replace(/[^\w .-]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return `${label.slice(0, 80)} ${job.stepId.slice(0, 4)}.md`;
}

/**
 * A step whose commands are restricted cannot attach anything, and the agent does not tell the task. So the run is asked
 * whether the main stage's ledger is there. What cannot be asked is not warned about.
 */
async function checkArrival(stage: Stage, job: JobContext, tries: readonly TryState[]): Promise<void> {
  const wanted = tries.at(-1)?.attachment ?? '';
  for (let check = 1; check <= arrivalChecks; check += 1) {
    const names = await attachmentNames(stage, job, ledgerType).catch(() => undefined);
    if (!names || names.includes(wanted)) return;
    if (check < arrivalChecks) await stage.io.clock.sleep(1000);
  }
  stage.pipeline.warning(
    'EVIDENCE_MISSING',
    'The ledger of this step has not arrived at the run. Its commands may be restricted (target: commands: restricted), which blocks attachments. Its records stand in the log; set evidence: confirmed to store the ledger by REST instead.',
  );
}
