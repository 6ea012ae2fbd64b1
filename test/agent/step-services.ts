import type { Environment } from './environment.ts';
import type { InstalledTask, PackagedTask } from './extension-package.ts';
import type { JobState } from './job-state.ts';
import type { AgentFolders } from './path-map.ts';
import type { ProcessWatch } from './process-watch.ts';
import type { StepRecord } from './step-record.ts';

/** What every step of a job needs of the agent around it. */
export interface StepServices {
  readonly state: JobState;
  readonly folders: AgentFolders;
  /** The agent's own environment, which steps on the host inherit. */
  readonly agentEnvironment: Environment;
  readonly scriptEnvironment: Environment;
  readonly nodePath: string;
  readonly watch: ProcessWatch;
  readonly installed: ReadonlyMap<PackagedTask, InstalledTask>;
  /** Looks at a process that outlives its step. */
  readonly onSurvivor: (pid: number, record: StepRecord) => void;
}

/** A command to start; made anew for every try, since variables may have changed. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Environment;
  readonly input?: string;
}

/** A step that is ready to start, or the reason why it is skipped. */
export type Prepared = { readonly launch: () => Launch } | { readonly skipped: string };
