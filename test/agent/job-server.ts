/** A secret that a server issued during a run; the agent stand-in looks for it everywhere. */
export interface IssuedSecret {
  /** Such as `oidcToken`, `entraToken`, `registryRefreshToken`, `registryToken`, `delegationKey`, `jobToken`, `proxyPassword`. */
  readonly kind: string;
  readonly value: string;
}

/** One request that a server saw. Query values and bodies are not kept. */
export interface SeenRequest {
  /** RFC 3339. */
  readonly time: string;
  /** Such as `proxy`, `oidc`, `entra`, `azureDevOps`, `registry`, `storage`. */
  readonly server: string;
  readonly method: string;
  readonly host: string;
  /** Path, with the names (not the values) of query parameters. */
  readonly path: string;
  readonly status: number;
  /** Header facts that tests assert: `authorizationScheme`, `userAgent`, `clientRequestId`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A connection as the connections file holds it: what the agent hands to the task, and what the servers know of it. */
export interface Connection {
  readonly id: string;
  readonly name: string;
  /** Such as `AzureRM`. */
  readonly type: string;
  readonly url: string;
  /** `authorization.scheme`, such as `WorkloadIdentityFederation`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
  /** Which issuer the OIDC route uses for it. */
  readonly issuer?: 'azureDevOps' | 'entra';
}

export interface JobRegistration {
  readonly project: string;
  readonly projectId: string;
  readonly planId: string;
  readonly jobId: string;
  readonly timelineId: string;
  readonly buildId: string;
  /** `build`, `release`. */
  readonly hub: string;
  /** Ids of the connections that the stage's YAML names in a `connectedService:` input. */
  readonly referencedConnections: readonly string[];
  readonly connections: readonly Connection[];
}

/** What the agent stand-in needs of the servers around a job. `test/servers` implements it. */
export interface JobServer {
  /** Such as `https://dev.azure.com/contoso/`, reached through the proxy. */
  readonly collectionUri: string;
  /** Proxy that maps production host names to loopback ports; `http://127.0.0.1:PORT`. */
  readonly proxy: { readonly url: string; readonly username: string; readonly password: string };
  /** PEM file of the test certificate authority. */
  readonly caFile: string;
  /** Registers the job and returns its access token (`System.AccessToken`) and OIDC request address. */
  registerJob(job: JobRegistration): { readonly accessToken: string; readonly oidcRequestUri: string };
  endJob(jobId: string): void;
  /** What the agent's upload queue does: stores an attachment under the run's timeline record. */
  storeAttachment(planId: string, recordId: string, type: string, name: string, content: Buffer): void;
  issuedSecrets(): readonly IssuedSecret[];
  seenRequests(): readonly SeenRequest[];
  /** Hosts that were asked for and are not mapped: any entry fails the run. */
  refusedHosts(): readonly string[];
}
