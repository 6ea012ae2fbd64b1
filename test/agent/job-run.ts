import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JobPlan, PlannedStep } from './job-plan.ts';
import { listProcesses, processKey, type RunningProcess } from './process-table.ts';
import type { Orphan } from './run-result.ts';
import type { StageOutcome } from './stage-outcome.ts';
import { StageRun } from './stage-run.ts';
import type { StepStage } from './step-record.ts';
import type { StepServices } from './step-services.ts';
import { mergeTaskResults, type TaskResult } from './task-result.ts';
import { VariableStore } from './variable-store.ts';

interface Scheduled {
  readonly planned: PlannedStep;
  readonly stage: StepStage;
}

/** Pre-job stages in order, then the steps, then post-job stages in reverse. */
function schedule(plan: JobPlan): Scheduled[] {
  const of = (stage: StepStage, has: (planned: PlannedStep) => boolean): Scheduled[] =>
    plan.steps.filter(has).map((planned) => ({ planned, stage }));
  const handlers = (planned: PlannedStep) => planned.task?.definition.handlers;
  const main = plan.steps
    .filter((planned) => planned.task === undefined || handlers(planned)?.main !== undefined)
    .map((planned): Scheduled => ({ planned, stage: planned.task === undefined ? 'script' : 'main' }));
  return [
    ...of('pre', (planned) => handlers(planned)?.pre !== undefined),
    ...main,
    ...of('post', (planned) => handlers(planned)?.post !== undefined).reverse(),
  ];
}

/** Runs the steps of one job one after the other. */
export class JobRun {
  readonly #services: StepServices;
  readonly #plan: JobPlan;
  readonly #taskVariables = new Map<PlannedStep, VariableStore>();
  readonly outcomes: StageOutcome[] = [];
  #result: TaskResult | undefined;
  #current: StageRun | undefined;
  #cancelled = false;

  constructor(services: StepServices, plan: JobPlan) {
    this.#services = services;
    this.#plan = plan;
  }

  get result(): TaskResult {
    return this.#result ?? 'Succeeded';
  }

  /** Task variables of every step instance. */
  get taskVariables(): readonly VariableStore[] {
    return [...this.#taskVariables.values()];
  }

  /** Cancels the job, as its user would. */
  cancel(): void {
    if (this.#cancelled) {
      return;
    }
    this.#cancelled = true;
    this.#setResult('Canceled');
    this.#current?.cancelForJob();
  }

  async run(): Promise<void> {
    const { log } = this.#services.state;
    log.section('Starting: Job');
    for (const { planned, stage } of schedule(this.#plan)) {
      this.#current = new StageRun(this.#services, planned, stage, {
        taskVariables: this.#storeOf(planned),
        jobCancelled: this.#cancelled,
      });
      const outcome = await this.#current.run();
      this.#current = undefined;
      this.outcomes.push(outcome);
      const { result } = outcome.record;
      if (result === 'SucceededWithIssues' || result === 'Failed') {
        this.#setResult(mergeTaskResults(this.#result, result));
      }
    }
  }

  /** Ends what the steps left running, as the agent does after the last post-job stage. */
  finalize(): Orphan[] {
    const { log, paths } = this.#services.state;
    rmSync(join(this.#services.folders.temp, '.taskkey'), { force: true });
    log.section('Starting: Finalize Job');
    log.write('Start cleaning up orphan processes.');
    const orphans = this.#services.watch.belonging().map((running) => {
      const endedBy = paths.container ? 'container' : this.#services.watch.hasLookupId(running) ? 'agent' : 'standIn';
      if (endedBy === 'agent') {
        log.write(`Terminate orphan process: pid (${running.pid}) (${running.name})`);
      }
      this.#end(running);
      return { pid: running.pid, name: running.name, endedBy } satisfies Orphan;
    });
    log.section('Finishing: Finalize Job');
    log.section('Finishing: Job');
    return orphans;
  }

  #end(running: RunningProcess): void {
    // The pid may have been given to another process since.
    if (listProcesses().some((other) => processKey(other) === processKey(running))) {
      try {
        process.kill(running.pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
  }

  #setResult(result: TaskResult): void {
    this.#result = result;
    this.#services.state.variables.set('agent.jobstatus', result);
  }

  #storeOf(planned: PlannedStep): VariableStore {
    const known = this.#taskVariables.get(planned);
    const store =
      known ??
      new VariableStore((value) =>
        this.#services.state.secrets.addRegistered(`task variable of ${planned.name}`, value),
      );
    this.#taskVariables.set(planned, store);
    return store;
  }
}
