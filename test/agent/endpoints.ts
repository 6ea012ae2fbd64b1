import type { Connection, JobServer } from './job-server.ts';

/** A service endpoint of the job; `setendpoint` may change it for the rest of the job. */
export interface Endpoint {
  /** Lower case GUID; all zeros for the system connection. */
  readonly id: string;
  readonly name: string;
  url: string;
  readonly scheme: string;
  readonly parameters: Map<string, string>;
  readonly data: Map<string, string>;
}

const systemId = '00000000-0000-0000-0000-000000000000';

// The agent masks every other authorization parameter, the client id of a service principal among them.
const notMasked = new Set(
  `role scope tenantid issuedat expiresat audience authenticationtype authorizationtype accesstokentype
   accesstokenfetchingmethod usewindowssecurity unsecured oauthaccesstokenissupplied completecallbackpayload
   acceptuntrustedcertificates`.split(/\s+/),
);

/** Whether the agent masks an authorization parameter (`MaskingUtil`). */
export function isMaskedParameter(name: string): boolean {
  return !notMasked.has(name.toLowerCase());
}

/** Whether a parameter is a credential, not merely masked: identifiers may stand in evidence. */
export function isCredentialParameter(name: string): boolean {
  return isMaskedParameter(name) && /key|password|secret|token|certificate/i.test(name);
}

/** The endpoint through which the job speaks to its own organisation. */
export function systemEndpoint(server: JobServer, accessToken: string): Endpoint {
  return {
    id: systemId,
    name: 'SystemVssConnection',
    url: server.collectionUri,
    scheme: 'OAuth',
    parameters: new Map([['AccessToken', accessToken]]),
    data: new Map([['ServerId', 'c0f4a3d2-6b1e-4b7a-9d53-2f5f0a8f1e11']]),
  };
}

/** A service connection as the job message carries it. */
export function connectionEndpoint(connection: Connection): Endpoint {
  return {
    id: connection.id.toLowerCase(),
    name: connection.name,
    url: connection.url,
    scheme: connection.scheme,
    parameters: new Map(Object.entries(connection.parameters)),
    data: new Map(Object.entries(connection.data)),
  };
}

export function isSystemEndpoint(endpoint: Endpoint): boolean {
  return endpoint.id === systemId;
}
