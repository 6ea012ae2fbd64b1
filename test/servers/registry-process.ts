import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServerProcess, startServerProcess } from './child-process.ts';
import { createUpstream, type Upstream } from './upstream.ts';

/** Issuer of registry tokens, as Azure Container Registry names itself. */
export const registryIssuer = 'Azure Container Registry';

/** A running docker-registry that trusts one signing certificate. */
export interface RegistryProcess {
  readonly upstream: Upstream;
  stop(): Promise<void>;
}

/**
 * Starts Debian's docker-registry with token authentication for one registry name. It keeps its data in `folder`.
 * `program` is its path.
 */
export async function startRegistryProcess(options: {
  readonly host: string;
  readonly folder: string;
  readonly program: string;
  readonly signingCertificate: string;
}): Promise<RegistryProcess> {
  const folder = join(options.folder, options.host);
  await mkdir(folder, { recursive: true });
  const bundle = join(folder, 'token-signer.pem');
  const configuration = join(folder, 'config.json');
  await writeFile(bundle, options.signingCertificate);
  // JSON is YAML too, and needs no quoting rules.
  await writeFile(configuration, JSON.stringify(registryConfiguration(options.host, folder, bundle)));
  const server: ServerProcess = await startServerProcess({
    name: 'docker-registry',
    command: options.program,
    arguments: ['serve', configuration],
    folder,
    environment: { OTEL_TRACES_EXPORTER: 'none' },
    ready: /listening on 127\.0\.0\.1:(\d+)/,
  });
  return { upstream: createUpstream(Number(server.readyValue)), stop: server.stop };
}

function registryConfiguration(host: string, folder: string, bundle: string): unknown {
  return {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'data') },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: '127.0.0.1:0' },
    auth: {
      token: {
        realm: `https://${host}/oauth2/token`,
        service: host,
        issuer: registryIssuer,
        rootcertbundle: bundle,
      },
    },
  };
}
