import type { ScopedTokenError } from '../errors.ts';
import type { Secret } from '../token/secret.ts';

/** A service connection as the agent hands it to the task. Keys are lower-case. */
export interface ConnectionFields {
  readonly id: string;
  readonly url: string;
  /** `authorization.scheme`; empty when the connection has none. */
  readonly scheme: string;
  /** Authorization parameters. Some of them may be secrets. */
  readonly parameters: Readonly<Record<string, Secret>>;
  readonly data: Readonly<Record<string, string>>;
}

/**
 * The job we run in. Everything that a step says to the agent goes through here; text from outside is made harmless
 * before it is printed, so that no logging command can hide in it.
 */
export interface Pipeline {
  /** An input, trimmed; `undefined` when empty. */
  input(name: string): string | undefined;
  /** A variable that is not secret; `undefined` when empty. */
  variable(name: string): string | undefined;
  /** A secret variable; `undefined` when empty. */
  secretVariable(name: string): Secret | undefined;
  /** True when the job has a secret variable of that name, compared as the agent does. */
  hasSecretVariable(name: string): boolean;
  /** The service connection with that id; `undefined` when the agent did not hand it over. */
  connection(id: string): ConnectionFields | undefined;
  /** The connection to the collection itself, which no step can rewrite. */
  systemConnection(): { readonly url: string; readonly accessToken: Secret } | undefined;

  /** What the same step's earlier stages stored. */
  taskVariable(name: string): Secret | undefined;
  /** Stores a secret for the same step's later stages. One line. */
  setTaskVariable(name: string, value: string): void;
  /** Registers a value with the agent's masker. */
  mask(value: Secret): void;
  /** All values that must not be written: masked ones, the job's secret variables, the job's token. */
  secrets(): readonly string[];
  /** Sets a secret variable for the rest of the job. */
  setSecretVariable(name: string, value: Secret): void;
  /** Sets an output variable, `STEP.name`. */
  setOutput(name: string, value: string): void;

  info(line: string): void;
  /** Lines in a group that the log viewer folds. */
  group(title: string, lines: readonly string[]): void;
  debug(line: string): void;
  warning(code: string, message: string): void;
  /** Attaches a file to the step's record in the run. The file must stay as it is until the job ends. */
  attach(type: string, name: string, path: string): void;
  /** Ends the step as failed, with one error. */
  fail(error: ScopedTokenError): void;
  succeed(): void;
}
