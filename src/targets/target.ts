import type { Io } from '../io/io.ts';
import type { Cloud } from '../token/cloud.ts';
import type { Credential } from '../token/credential.ts';
import type { NarrowedToken } from '../token/narrowed-token.ts';
import type { Scope } from '../token/scope.ts';
import type { Secret } from '../token/secret.ts';

/** What the author asked of a target. */
export interface TargetRequest {
  readonly resource: string;
  readonly scopes: readonly Scope[];
  readonly lifetimeSeconds: number;
  readonly cloud: Cloud;
}

/** A request that the target understood. */
export interface TargetPlan {
  /** The resource in its one spelling, as it stands in logs and records. */
  readonly resource: string;
  /** What was asked, one line of the scope grammar each. */
  readonly asked: readonly string[];
  /** Entra resource that the credential is requested for. */
  readonly audience: string;
  narrow(credential: Credential, context: NarrowContext): Promise<NarrowedToken>;
  /** Lines of YAML that map the secret into a step and use it. */
  usage(variable: string): readonly string[];
}

/** What narrowing needs of the step. */
export interface NarrowContext {
  readonly io: Io;
  readonly mask: (value: Secret) => void;
  /** Id of the record; it travels to the target's own log where the target takes one. */
  readonly correlationId: string;
}

/** One kind of service that a token is for. */
export interface Target {
  /** Judges resource and scopes; asks nothing of the network. All mistakes are returned together. */
  plan(request: TargetRequest): TargetPlan | { readonly mistakes: readonly string[] };
}
