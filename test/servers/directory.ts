import type { Connection } from '../agent/job-server.ts';
import {
  type AssertionIssuer,
  assertionAudience,
  azureDevOpsApplicationId,
  clientOf,
  issuerOf,
  stableGuid,
  subjectOf,
  tenantOf,
} from './subjects.ts';

/** What an application trusts: an assertion with exactly these three claims. */
export interface FederatedCredential {
  readonly name: string;
  issuer: string;
  subject: string;
  audience: string;
}

/** An application and its service principal in one tenant. */
export interface Application {
  readonly clientId: string;
  /** Object id of the service principal: `oid` in its tokens, and the principal of its role assignments. */
  readonly objectId: string;
  displayName: string;
  readonly federatedCredentials: FederatedCredential[];
  /** App roles by the resource's first identifier: the `roles` claim of tokens for it. */
  readonly roles: Map<string, string[]>;
  /** Ids of directory roles; the implicit entry of app-only tokens is added at issue. */
  readonly directoryRoles: string[];
}

export interface Tenant {
  readonly id: string;
  displayName: string;
  readonly applications: Map<string, Application>;
}

/** An API that tokens can be asked for. */
export interface Resource {
  /** Application ID URIs and the application id; the first one names it. */
  readonly identifiers: readonly string[];
  readonly tokenVersion: '1.0' | '2.0';
  lifetimeSeconds: number;
}

/** An hour and a little, as Entra gives. */
const usualLifetimeSeconds = 3899;

/** Identifiers of the resources that the stand-in knows from the start. */
export const resourceNames = {
  storage: 'https://storage.azure.com',
  containerRegistry: 'https://containerregistry.azure.net',
  microsoftGraph: 'https://graph.microsoft.com',
  azureResourceManager: 'https://management.azure.com',
  keyVault: 'https://vault.azure.net',
  azureDevOps: azureDevOpsApplicationId,
} as const;

/** Application ids of Microsoft's own APIs, by which tokens can be asked for as well. */
const resourceIds: Readonly<Record<string, readonly string[]>> = {
  storage: ['e406a681-f3d4-42a8-90b6-c2b029497af1', 'https://contosodata.blob.core.windows.net'],
  microsoftGraph: ['00000003-0000-0000-c000-000000000000'],
  azureResourceManager: ['797f4846-ba00-4fd7-ba43-dac1f8f63013', 'https://management.core.windows.net'],
  keyVault: ['cfa8b339-82a2-471a-a3c9-0fc0be7a4093'],
};

/** What Entra knows. Tests change it freely; nothing in it is copied. */
export class Directory {
  /** By id in lower case. */
  readonly tenants = new Map<string, Tenant>();
  readonly resources: Resource[] = Object.entries(resourceNames).map(([key, name]) =>
    resource([name, ...(resourceIds[key] ?? [])]),
  );
  /** Whether a job's connections get their application and federated credentials when the job is registered. */
  autoTrust = true;
  readonly #trusted = new Set<string>();

  /** Adds a tenant, or returns the one that is there. */
  tenant(id: string, displayName = 'Contoso'): Tenant {
    const known = this.findTenant(id);
    if (known) return known;
    const tenant: Tenant = { id, displayName, applications: new Map() };
    this.tenants.set(id.toLowerCase(), tenant);
    return tenant;
  }

  /** The tenant of an id; letter case does not matter. */
  findTenant(id: string): Tenant | undefined {
    return this.tenants.get(id.toLowerCase());
  }

  /** Adds an application to a tenant, or returns the one that is there. */
  application(tenantId: string, clientId: string): Application {
    const tenant = this.tenant(tenantId);
    let application = tenant.applications.get(clientId);
    if (!application) {
      application = {
        clientId,
        objectId: stableGuid(`${tenantId}/${clientId}`),
        displayName: `app ${clientId}`,
        federatedCredentials: [],
        roles: new Map(),
        directoryRoles: [],
      };
      tenant.applications.set(clientId, application);
    }
    return application;
  }

  /**
   * Sets up the application of a federated connection: one credential for each issuer. Done once a connection, so that
   * what a test took away afterwards stays away. Returns undefined for a connection of another kind.
   */
  trust(connection: Connection, project: string): Application | undefined {
    const tenantId = tenantOf(connection);
    const clientId = clientOf(connection);
    if (connection.scheme !== 'WorkloadIdentityFederation' || !tenantId || !clientId) return undefined;
    const application = this.application(tenantId, clientId);
    if (this.#trusted.has(connection.id)) return application;
    this.#trusted.add(connection.id);
    for (const kind of ['azureDevOps', 'entra'] satisfies AssertionIssuer[]) {
      application.federatedCredentials.push({
        name: `${connection.name}-${kind}`,
        issuer: issuerOf(kind, tenantId),
        subject: subjectOf(kind, connection, project),
        audience: assertionAudience,
      });
    }
    return application;
  }

  /** The resource that an identifier names; a trailing slash does not matter. */
  resource(identifier: string): Resource | undefined {
    const wanted = withoutSlash(identifier);
    return this.resources.find((one) => one.identifiers.some((name) => withoutSlash(name) === wanted));
  }

  /** The application that a client id or a service principal's object id belongs to, in any tenant. */
  principal(id: string): Application | undefined {
    for (const tenant of this.tenants.values()) {
      for (const application of tenant.applications.values()) {
        if (application.clientId === id || application.objectId === id) return application;
      }
    }
    return undefined;
  }
}

/** A resource with the usual lifetime and version 1 tokens. */
export function resource(identifiers: readonly string[], tokenVersion: '1.0' | '2.0' = '1.0'): Resource {
  return { identifiers, tokenVersion, lifetimeSeconds: usualLifetimeSeconds };
}

function withoutSlash(identifier: string): string {
  return identifier.toLowerCase().replace(/\/$/, '');
}
