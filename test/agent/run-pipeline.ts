import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentEnvironment } from './environment.ts';
import { type InstalledTask, installTask, type PackagedTask, readExtension } from './extension-package.ts';
import { type JobIdentity, makeIdentity, registrationOf } from './job-identity.ts';
import { type JobPlan, planJob } from './job-plan.ts';
import { JobRun } from './job-run.ts';
import { type JobSetup, setUpJob } from './job-setup.ts';
import { type Leak, LeakSearch } from './leak-search.ts';
import { type AgentFolders, makeFolders } from './path-map.ts';
import { loadPipeline, type Pipeline } from './pipeline-file.ts';
import { readProcess } from './process-table.ts';
import { findProcessLeaks, ProcessWatch } from './process-watch.ts';
import { buildResult } from './result-building.ts';
import { findLeftLeaks, findPublishedLeaks, findTouchedTaskFiles } from './run-leaks.ts';
import type { CancelOption, RunOptions } from './run-options.ts';
import type { RunResult } from './run-result.ts';
import type { StepServices } from './step-services.ts';

/** Calls back once, when a line matches; never from within the line's own writing. */
function cancelListener(option: CancelOption | undefined, cancel: () => void): (line: string) => void {
  if (option === undefined) {
    return () => {};
  }
  if (typeof option === 'function') {
    option(cancel);
    return () => {};
  }
  const { afterLog } = option;
  let done = false;
  return (line) => {
    if (!done && (typeof afterLog === 'string' ? line.includes(afterLog) : afterLog.test(line))) {
      done = true;
      queueMicrotask(cancel);
    }
  };
}

function removeTree(root: string): void {
  // Task folders are read-only: without the right to write, nothing in them can be removed.
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) {
      chmodSync(join(entry.parentPath, entry.name), 0o755);
    }
  }
  rmSync(root, { recursive: true, force: true });
}

function installTasks(plan: JobPlan, folders: AgentFolders): ReadonlyMap<PackagedTask, InstalledTask> {
  const installed = new Map<PackagedTask, InstalledTask>();
  for (const { task } of plan.steps) {
    if (task !== undefined && !installed.has(task)) {
      installed.set(task, installTask(task, folders.tasks));
    }
  }
  return installed;
}

/** What a server shared by several runs has added since this one began. */
function counterOf<T>(list: () => readonly T[]): () => readonly T[] {
  const before = list().length;
  return () => list().slice(before);
}

/** One run, from the job's registration to its result. */
class Run {
  readonly #options: RunOptions;
  readonly #identity: JobIdentity;
  readonly #folders: AgentFolders;
  readonly #plan: JobPlan;
  readonly #leaks: Leak[] = [];
  readonly #services: StepServices;
  readonly #setup: JobSetup;
  readonly #job: JobRun;
  readonly #requests: () => RunResult['requests'];
  readonly #refusedHosts: () => RunResult['refusedHosts'];

  constructor(options: RunOptions, pipeline: Pipeline, plan: JobPlan, folders: AgentFolders) {
    this.#options = options;
    this.#plan = plan;
    this.#folders = folders;
    this.#identity = makeIdentity(options);
    this.#requests = counterOf(() => options.server.seenRequests());
    this.#refusedHosts = counterOf(() => options.server.refusedHosts());
    const grant = options.server.registerJob(registrationOf(this.#identity, options, plan.referencedConnections));
    const listen = cancelListener(options.cancel, () => this.#job.cancel());
    const onLine = (line: string) => {
      options.log?.(line);
      listen(line);
    };
    const parts = { options, pipeline, identity: this.#identity, folders, grant, onLine };
    this.#setup = setUpJob(parts, plan.referencedConnections);
    this.#services = this.#makeServices();
    this.#job = new JobRun(this.#services, plan);
  }

  async run(): Promise<RunResult> {
    const { state } = this.#setup;
    try {
      await this.#job.run();
      const orphans = this.#job.finalize();
      const attachments = state.uploads.drain();
      this.#findLeaks(attachments);
      return buildResult({
        ...{ identity: this.#identity, state, job: this.#job, orphans, attachments, leaks: this.#leaks },
        requests: this.#requests(),
        refusedHosts: this.#refusedHosts(),
        workFolder: this.#folders.root,
      });
    } finally {
      state.uploads.drain();
      this.#options.server.endJob(this.#identity.jobId);
    }
  }

  #makeServices(): StepServices {
    const options = this.#options;
    return {
      state: this.#setup.state,
      folders: this.#folders,
      agentEnvironment: agentEnvironment(this.#folders.home, options.agentEnvironment ?? {}),
      scriptEnvironment: { ...options.scriptEnvironment },
      nodePath: options.nodePath ?? process.execPath,
      watch: new ProcessWatch(this.#setup.lookupId, this.#folders.root),
      installed: installTasks(this.#plan, this.#folders),
      onSurvivor: (pid, record) => {
        const running = readProcess(pid);
        if (running !== undefined) {
          const { name, stage } = record.identity;
          this.#leaks.push(...findProcessLeaks(running, `${name} (${stage})`, this.#search()));
        }
      },
    };
  }

  #search(): LeakSearch {
    return new LeakSearch([...this.#options.server.issuedSecrets(), ...this.#setup.state.secrets.known()]);
  }

  #findLeaks(attachments: Parameters<typeof findPublishedLeaks>[0]['attachments']): void {
    const { state } = this.#setup;
    const search = this.#search();
    const touched = findTouchedTaskFiles(this.#services.installed.values());
    state.defects.push(...touched.map((path) => `a file of a task folder was written: ${path}`));
    const published = findPublishedLeaks(
      {
        log: state.log.lines,
        records: this.#job.outcomes.map(({ record }) => record),
        attachments,
        published: state.published,
        variables: state.variables,
        taskVariables: this.#job.taskVariables,
      },
      search,
    );
    const allowed = this.#options.allowSecretFiles ?? [];
    const left = findLeftLeaks(this.#folders.root, this.#folders.tasks, { search, allowed, touched });
    this.#leaks.push(...published, ...left);
  }
}

/**
 * Runs a pipeline of one job on the extension, as an Azure Pipelines agent on Linux does: pre-job stages, steps,
 * post-job stages, with the agent's command parser, masker, restrictions, timeouts and clean-up. Fills in what a
 * server does before it: input aliases, connection names, reference names.
 * @returns what the run left; a failed step is a result, not an error
 * @throws PipelineRefused where the server would not start the run
 */
export async function runPipeline(options: RunOptions): Promise<RunResult> {
  const pipeline = loadPipeline(options.pipeline);
  const plan = planJob(pipeline, await readExtension(options.vsix), options);
  const root = options.workFolder ?? mkdtempSync(join(tmpdir(), 'agent-'));
  mkdirSync(root, { recursive: true });
  try {
    return await new Run(options, pipeline, plan, makeFolders(root)).run();
  } finally {
    if (options.workFolder === undefined && options.keep !== true) {
      removeTree(root);
    }
  }
}
