import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processLine } from './commands.ts';
import { evaluateCondition } from './condition.ts';
import type { PlannedStep } from './job-plan.ts';
import type { RunningProcess } from './process-table.ts';
import { prepareScript } from './script-handler.ts';
import type { StageOutcome, StageSurroundings } from './stage-outcome.ts';
import { type ProcessOutcome, runProcess } from './step-process.ts';
import { StepRecord, type StepStage } from './step-record.ts';
import type { Launch, StepServices } from './step-services.ts';
import { expandValue, prepareTask } from './task-handler.ts';
import { mergeTaskResults, type TaskResult } from './task-result.ts';

/** The step was cancelled, or its time ran out. */
class StepCancelled extends Error {
  override readonly name = 'StepCancelled';
}

const retriesAtMost = 10;
const forceCompleteMilliseconds = 5000;

function prefixed(stage: StepStage, displayName: string): string {
  if (stage === 'pre') {
    return `Pre-job: ${displayName}`;
  }
  return stage === 'post' ? `Post-job: ${displayName}` : displayName;
}

/** One stage of one step, from its condition to its result. */
export class StageRun {
  readonly record: StepRecord;
  readonly #services: StepServices;
  readonly #planned: PlannedStep;
  readonly #displayName: string;
  readonly #abort = new AbortController();
  #jobCancelled: boolean;
  #tries = 0;
  #process: ProcessOutcome | undefined;

  constructor(services: StepServices, planned: PlannedStep, stage: StepStage, surroundings: StageSurroundings) {
    this.#services = services;
    this.#planned = planned;
    this.#jobCancelled = surroundings.jobCancelled;
    this.#displayName = expandValue(services, planned.displayName);
    const { definition } = planned.task ?? {};
    this.record = new StepRecord(
      {
        recordId: stage === 'main' || stage === 'script' ? planned.instanceId : randomUUID(),
        instanceId: planned.instanceId,
        name: planned.name,
        displayName: prefixed(stage, this.#displayName),
        stage,
      },
      {
        log: services.state.log,
        masker: services.state.secrets.masker,
        taskVariables: surroundings.taskVariables,
        restrictions: [...(definition === undefined ? [] : [definition.restrictions]), planned.step.target],
      },
    );
  }

  /** The job was cancelled: the step goes on only where its condition still holds. */
  cancelForJob(): void {
    this.#jobCancelled = true;
    let goesOn: boolean;
    try {
      goesOn = this.#evaluateCondition();
    } catch {
      goesOn = false;
    }
    if (!goesOn) {
      this.record.error('The Operation will be canceled. The next steps may not contain expected logs.');
      this.#abort.abort();
    }
  }

  /** Runs the stage; never rejects for what the step did. */
  async run(): Promise<StageOutcome> {
    const startedAt = new Date();
    const start = performance.now();
    for (const warning of this.#services.state.variables.recalculate()) {
      this.record.warning(warning);
    }
    let survivors: readonly RunningProcess[] = [];
    if (this.#mayRun()) {
      await this.#execute();
      // Every later task-lib process of the job rewrites this file: who still runs must not depend on it.
      writeFileSync(join(this.#services.folders.temp, '.taskkey'), randomUUID());
    }
    const durationMilliseconds = Math.round(performance.now() - start);
    if (this.#process !== undefined) {
      survivors = await this.#services.watch.survivors();
      for (const running of survivors) {
        this.#services.onSurvivor(running.pid, this.record);
      }
    }
    this.record.result ??= 'Succeeded';
    return {
      record: this.record,
      startedAt,
      durationMilliseconds,
      tries: this.#tries,
      process: this.#process,
      survivors,
    };
  }

  #evaluateCondition(): boolean {
    const { variables } = this.#services.state;
    // Post-job stages run whatever happened before.
    const condition = this.record.identity.stage === 'post' ? 'always()' : this.#planned.step.condition;
    return evaluateCondition(condition, {
      jobStatus: variables.get('agent.jobstatus') ?? 'Succeeded',
      variable: (name) => variables.get(name),
    });
  }

  #mayRun(): boolean {
    try {
      if (this.#evaluateCondition()) {
        return true;
      }
      this.record.output('Skipping step due to condition evaluation.');
      this.record.result = 'Skipped';
    } catch (error) {
      this.#fail(error);
    }
    return false;
  }

  #fail(error: unknown): void {
    this.record.error(error instanceof Error ? error.message : String(error));
    this.record.result = 'Failed';
  }

  async #execute(): Promise<void> {
    const { record } = this;
    const { log } = this.#services.state;
    log.section(`Starting: ${this.#displayName}`);
    const timeoutMilliseconds = this.#planned.step.timeoutInMinutes * 60_000;
    const timer = timeoutMilliseconds > 0 ? setTimeout(() => this.#abort.abort(), timeoutMilliseconds) : undefined;
    const leaveScope = this.#enterScope();
    try {
      await this.#work();
    } catch (error) {
      this.#settle(error);
    } finally {
      clearTimeout(timer);
      leaveScope();
    }
    if (record.commandResult !== undefined) {
      record.result = mergeTaskResults(record.result, record.commandResult);
    }
    if (record.result === 'Failed' && this.#planned.step.continueOnError) {
      record.result = 'SucceededWithIssues';
    }
    log.section(`Finishing: ${this.#displayName}`);
  }

  #settle(error: unknown): void {
    if (!(error instanceof StepCancelled)) {
      this.#fail(error);
    } else if (this.#jobCancelled) {
      this.record.error('The operation was canceled.');
      this.record.result = 'Canceled';
    } else {
      this.record.error('The task has timed out.');
      this.record.result = 'Failed';
    }
  }

  /** Variables that exist during the step only. */
  #enterScope(): () => void {
    const { variables } = this.#services.state;
    const { instanceId, name } = this.record.identity;
    const scope: Readonly<Record<string, string>> = {
      'task.displayname': this.#displayName,
      'task.publishTelemetry': 'True',
      'system.taskInstanceId': instanceId,
      'system.taskDisplayName': this.#displayName,
      'system.taskInstanceName': name,
    };
    for (const [key, value] of Object.entries(scope)) {
      variables.set(key, value);
    }
    return () => {
      for (const key of Object.keys(scope)) {
        variables.unset(key);
      }
    };
  }

  async #work(): Promise<void> {
    const { stage } = this.record.identity;
    const prepared =
      stage === 'script'
        ? prepareScript(this.#services, this.#planned, this.record)
        : prepareTask(this.#services, this.#planned, this.record, stage);
    if ('skipped' in prepared) {
      this.record.output(prepared.skipped);
      this.record.result = 'Skipped' satisfies TaskResult;
      return;
    }
    await this.#retry(prepared.launch);
  }

  /** Runs the handler again, in the same record, after it failed; never after a cancel or a timeout. */
  async #retry(launch: () => Launch): Promise<void> {
    const retries = Math.min(this.#planned.step.retryCountOnTaskFailure, retriesAtMost);
    for (let retry = 0; ; retry += 1) {
      const isLast = retry >= retries;
      const delayMilliseconds = (retry + 1) ** 2 * 1000;
      const next = `will retry (attempt #: ${retry + 1} out of ${retries}) after ${delayMilliseconds} ms`;
      try {
        await this.#attempt(launch());
        if (this.record.result !== 'Failed' || isLast) {
          return;
        }
        this.record.warning(`RetryHelper encountered task failure, ${next}`);
        this.record.result = undefined;
      } catch (error) {
        if (error instanceof StepCancelled || isLast) {
          throw error;
        }
        // The result that task.complete reported stays here, unlike above: so it does in the agent.
        this.record.warning(`RetryHelper encountered exception, ${next}`);
      }
      try {
        await sleep(delayMilliseconds, undefined, { signal: this.#abort.signal });
      } catch {
        throw new StepCancelled();
      }
    }
  }

  async #attempt(launch: Launch): Promise<void> {
    const { state, watch } = this.#services;
    const milliseconds = (name: string, fallback: number) => Number(state.variables.get(name) ?? fallback);
    const { forced, settle } = this.#forceCompletion();
    let stopFollowing = () => {};
    this.#tries += 1;
    try {
      this.#process = await runProcess({
        ...launch,
        forced,
        cancel: this.#abort.signal,
        onLine: (line) => processLine({ job: state, step: this.record }, line),
        onStart: (pid) => {
          stopFollowing = watch.follow(pid);
        },
        sigintMilliseconds: milliseconds('PROCESS_SIGINT_TIMEOUT', 7500),
        sigtermMilliseconds: milliseconds('PROCESS_SIGTERM_TIMEOUT', 2500),
        signals: state.paths.container ? 'lost' : 'delivered',
      });
    } finally {
      settle();
      stopFollowing();
    }
    const { cancelled, exitCode, forced: wasForced } = this.#process;
    if (cancelled) {
      throw new StepCancelled();
    }
    if (exitCode !== 0 && !wasForced) {
      const what = `file name '${launch.file}', arguments '${launch.args.join(' ')}'`;
      throw new Error(
        this.record.identity.stage === 'script'
          ? `Bash exited with code '${exitCode}'.`
          : `Exit code ${exitCode} returned from process: ${what}.`,
      );
    }
  }

  /** `done=true` starts five seconds, after which nobody waits for the process any more. */
  #forceCompletion(): { forced: Promise<void>; settle: () => void } {
    let timer: NodeJS.Timeout | undefined;
    const forced = new Promise<void>((resolve) => {
      this.record.onForceComplete = () => {
        timer ??= setTimeout(resolve, forceCompleteMilliseconds);
      };
    });
    return { forced, settle: () => clearTimeout(timer) };
  }
}
