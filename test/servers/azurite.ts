import { randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { LabCertificates } from './certificates.ts';
import { startServerProcess } from './child-process.ts';
import { createUpstream, type Upstream } from './upstream.ts';

/** A running Azurite, and a way to call it as the accounts' owner. */
export interface Azurite {
  readonly upstream: Upstream;
  stop(): Promise<void>;
}

/** Host name of an account's blob service. */
export function blobHost(account: string): string {
  return `${account}.blob.core.windows.net`;
}

/**
 * Starts Azurite's blob service, in memory, with OAuth, for the given accounts. test-servers §4. The folder goes when
 * Azurite does.
 */
export async function startAzurite(
  folder: string,
  certificates: LabCertificates,
  accounts: readonly string[],
): Promise<Azurite> {
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const server = await startServerProcess({
    name: 'Azurite',
    command: process.execPath,
    arguments: [
      main,
      '--silent',
      '--blobHost=127.0.0.1',
      '--blobPort=0',
      '--oauth=basic',
      `--cert=${certificates.serverCertificateFile}`,
      `--key=${certificates.serverKeyFile}`,
      '--inMemoryPersistence',
      '--skipApiVersionCheck',
      '--disableTelemetry',
    ],
    folder,
    environment: {
      AZURITE_ACCOUNTS: accounts.map((account) => `${account}:${randomBytes(64).toString('base64')}`).join(';'),
    },
    removeAtEnd: folder,
    ready: /successfully listens on https:\/\/127\.0\.0\.1:(\d+)/,
  });
  const upstream = createUpstream(Number(server.readyValue), {
    authority: certificates.caCertificate,
    serverName: blobHost(accounts[0] ?? ''),
  });
  return {
    upstream,
    async stop() {
      upstream.close();
      await server.stop();
    },
  };
}

/**
 * A bearer token in the form that Azurite demands, in the machine's time. Azurite does not check signatures, so the
 * gateway does before it passes a request on with one of these.
 */
export function azuriteToken(principal: { readonly objectId: string; readonly tenantId: string }): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    aud: 'https://storage.azure.com',
    iss: `https://sts.windows.net/${principal.tenantId}/`,
    iat: now - 60,
    nbf: now - 60,
    exp: now + 600,
    oid: principal.objectId,
    tid: principal.tenantId,
  };
  return `${encode({ typ: 'JWT', alg: 'none' })}.${encode(claims)}.`;
}

/** Puts containers and blobs into an account: `container` alone, or `container/blob` with its content. */
export async function seedBlobs(
  azurite: Azurite,
  account: string,
  entries: ReadonlyMap<string, string>,
): Promise<void> {
  const authorization = `Bearer ${azuriteToken({ objectId: randomUUID(), tenantId: randomUUID() })}`;
  const put = async (target: string, body: Buffer, headers: Record<string, string>): Promise<void> => {
    const all = { host: blobHost(account), authorization, 'x-ms-version': '2022-11-02', ...headers };
    const answer = await azurite.upstream.send({ method: 'PUT', target, headers: all, body });
    if (answer.status !== 201) throw new Error(`seeding ${target}: ${answer.status} ${answer.body?.toString('utf8')}`);
  };
  const containers = new Set([...entries.keys()].map((path) => path.split('/', 1)[0] ?? ''));
  for (const container of containers) await put(`/${container}?restype=container`, Buffer.alloc(0), {});
  for (const [path, content] of entries) {
    if (path.includes('/')) {
      await put(`/${path}`, Buffer.from(content), {
        'x-ms-blob-type': 'BlockBlob',
        'content-type': 'application/octet-stream',
      });
    }
  }
}
