/**
 * Where a secret's value may leave its wrapper, sorted by file and function. A new line here is a decision, to be read as
 * one: what becomes of the value there, and why it cannot reach a log, an error, a file or a command line.
 */
export const REVEAL_SITES: readonly string[] = [
  // Tenant and application of a connection: ids, which the agent hands over beside the connection's secrets.
  'src/identity/connection.ts#readFederatedConnection',
  // The assertion's own claims, and the job's access token as a header to the collection it belongs to.
  'src/identity/pipeline-oidc.ts#readAssertion',
  'src/identity/pipeline-oidc.ts#requestAssertion',
  // The assertion, to Entra; the credential's own claims.
  'src/identity/workload-federation.ts#exchange',
  'src/identity/workload-federation.ts#toCredential',
  // The proxy's password, as a header to the proxy.
  'src/io/routes.ts#agentFor',
  'src/io/routes.ts#proxyCredentials',
  // What is handed to the agent: masks, what to scrub from records, the secret variable.
  'src/pipeline/azure-pipelines.ts#AzurePipelines.mask',
  'src/pipeline/azure-pipelines.ts#AzurePipelines.secrets',
  'src/pipeline/azure-pipelines.ts#AzurePipelines.setSecretVariable',
  // Connection fields, as digests; those that are ids in plain.
  'src/pipeline/frozen-copy.ts#readFrozenFacts',
  // The frozen copy, which travels as a secret so that no step can read or rewrite it, and the token's fingerprint.
  'src/steps/acquire-token.ts#judge',
  'src/steps/acquire-token.ts#tokenFacts',
  // The job's access token, as a header to its collection.
  'src/steps/evidence.ts#collectionAccess',
  // The token's forms, to be masked, and its length.
  'src/steps/expose-token.ts#exposeToken',
  'src/steps/expose-token.ts#warn',
  // What the main stage left for the post-job stage.
  'src/steps/release-token.ts#isTrusted',
  'src/steps/step-state.ts#readTries',
  // The credential and the refresh token, to the registry's own token service; the access token's own claims.
  'src/targets/container-registry/narrow.ts#narrowToRepositories',
  'src/targets/container-registry/narrow.ts#readBack',
  // The credential, to the storage account; the signature, to ask that account what kind it is.
  'src/targets/storage/narrow.ts#delegationKey',
  'src/targets/storage/narrow.ts#requireHierarchy',
];
