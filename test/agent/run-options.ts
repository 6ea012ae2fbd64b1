import type { Connection, JobServer } from './job-server.ts';

/** A secret pipeline variable. */
export interface SecretVariable {
  readonly value: string;
  readonly secret: true;
}

/** Cancels the job when a log line matches, or hands out the function that cancels it. */
export type CancelOption = { readonly afterLog: RegExp | string } | ((cancel: () => void) => void);

/** Ids that a re-run shares with the run before it; missing ones are made anew. */
export interface RunIds {
  readonly projectId?: string;
  readonly planId?: string;
  readonly jobId?: string;
  readonly timelineId?: string;
  readonly buildId?: string;
}

/** What {@link runPipeline} runs, and around it. */
export interface RunOptions {
  /** A `.vsix`, or a folder laid out like one. */
  readonly vsix: string;
  /** Path of a pipeline file, or its text where it spans lines. */
  readonly pipeline: string;
  readonly connections: readonly Connection[];
  readonly server: JobServer;
  /** Node for the handlers; the running one by default. */
  readonly nodePath?: string;
  /** Pipeline variables beside those of the file; they may also replace predefined ones. */
  readonly variables?: Readonly<Record<string, string | SecretVariable>>;
  /** Root of the agent. By default a new folder, removed at the end unless `keep`. */
  readonly workFolder?: string;
  readonly keep?: boolean;
  /** Hears every line of the log, masked, as it is written. */
  readonly log?: (line: string) => void;
  /** Environment that only `script:` and `bash:` steps get: the machine's own routing for curl and the like. */
  readonly scriptEnvironment?: Readonly<Record<string, string>>;
  /** The agent's own environment beside PATH, HOME and LANG: what an administrator set. */
  readonly agentEnvironment?: Readonly<Record<string, string>>;
  readonly cancel?: CancelOption;
  /** A pull request from a fork, with secrets restricted: steps that name a connection are skipped. */
  readonly forkPullRequest?: boolean;
  /** The agent's proxy; the server's by default. */
  readonly proxy?: false | JobServer['proxy'];
  /** The agent's certificate authority file; the server's by default. */
  readonly caInfo?: false | string;
  /** Attempt of stage and job; 1 by default. */
  readonly attempt?: number;
  readonly hostType?: 'build' | 'release';
  /** Runs tasks as in a job container: stripped environment, other paths, signals lost. */
  readonly container?: boolean;
  /** Checks that the server makes before the start; all on by default. Off, the task meets the mistake itself. */
  readonly serverChecks?: { readonly connectionTypes?: boolean; readonly requiredInputs?: boolean };
  /** Replaces the list of connections that the stage refers to, for the OIDC route. */
  readonly referencedConnections?: readonly string[];
  readonly ids?: RunIds;
  /** Patterns of files that may hold secrets at the end, relative to the agent's root, such as `_work/_temp/*.pem`. */
  readonly allowSecretFiles?: readonly string[];
}
