import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, JobServer } from '../agent/job-server.ts';
import { AzureDevOps, collectionUri } from './azure-devops.ts';
import { type Azurite, blobHost, seedBlobs, startAzurite } from './azurite.ts';
import type { Call } from './call.ts';
import { createCertificates, type LabCertificates, selfSigned } from './certificates.ts';
import { type ConnectProxy, startConnectProxy } from './connect-proxy.ts';
import { debianProgram } from './debian.ts';
import { Directory } from './directory.ts';
import { Entra, pipelineIssuerDocument } from './entra.ts';
import { type Fault, FaultBoard, type ServerName } from './faults.ts';
import { type HttpsFront, type LabBase, type Route, startHttpsFront } from './https-front.ts';
import { LabClock } from './lab-clock.ts';
import { Observations } from './observations.ts';
import { Registry } from './registry.ts';
import { startRegistryProcess } from './registry-process.ts';
import { seedImage } from './registry-seed.ts';
import { SigningKey } from './signing-key.ts';
import { Storage, type StorageAccount } from './storage.ts';

/** How a lab is made. */
export interface LabOptions {
  /** `auto` starts real registries when docker-registry is installed; `off` never does. */
  readonly registry?: 'auto' | 'off';
  /** Names that registries answer to; each has a process of its own. The first one is filled with images. */
  readonly registryHosts?: readonly string[];
  /** Connections that Entra trusts from the start, as names in `project`; those of a job are added when it registers. */
  readonly connections?: readonly Connection[];
  readonly project?: string;
}

/** The servers around a job, all on loopback, reached by production names through the proxy. */
export interface Lab extends JobServer {
  readonly proxy: ConnectProxy;
  readonly azureDevOps: AzureDevOps;
  readonly entra: Entra;
  readonly registry: Registry;
  readonly storage: Storage;
  readonly clock: LabClock;
  readonly observations: Observations;
  /** PEM file of an authority that has signed nothing here. */
  readonly unrelatedCaFile: string;
  /** Makes a server misbehave until it is cleared; a later fault of the same server takes its place. */
  fault(server: ServerName, fault: Fault): void;
  /** Ends the faults of one server, or all. */
  clearFaults(server?: ServerName): void;
  /** Environment for curl, skopeo or a Node program that is a client of the lab. Never for a task under test. */
  clientEnvironment(): Record<string, string>;
  /** Ends everything that was started and removes its files. Safe to call twice. */
  stop(): Promise<void>;
}

const flatAccount: StorageAccount = { name: 'contosodata', isHierarchical: false };
const lakeAccount: StorageAccount = { name: 'contosolake', isHierarchical: true };

/** Containers and blobs of the flat account. */
const seededBlobs = new Map([
  ['logs/app.json', '{"level":"info"}'],
  ['logs/2026/app.json', '{"level":"info","year":2026}'],
  ['logs/2026/other.json', '{"level":"warning","year":2026}'],
  ['other/secret.txt', 'not for the logs reader'],
]);

/** Starts all servers. Whatever was started is stopped again when one of them fails to. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'scoped-token-lab-'));
  const shutdown = new Shutdown();
  shutdown.add(() => rm(folder, { recursive: true, force: true }));
  try {
    return await assemble(options, folder, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function assemble(options: LabOptions, folder: string, shutdown: Shutdown): Promise<Lab> {
  const registryHosts = options.registryHosts ?? ['contoso.azurecr.io'];
  const base: LabBase = {
    clock: new LabClock(),
    faults: new FaultBoard(),
    observations: new Observations(),
    resets: new Set(),
  };
  // Azurite takes longest to start and needs nothing but a certificate.
  const certificatesMade = createCertificates(folder, servedNames(registryHosts));
  const azuriteStarted = certificatesMade.then((certificates) => startStorage({ folder, certificates, shutdown }));
  // A failure is met below; until then it must not count as unhandled.
  azuriteStarted.catch(() => undefined);
  const [certificates, azureDevOpsKey, entraKey, registryKey] = await Promise.all([
    certificatesMade,
    SigningKey.create(),
    SigningKey.create(),
    SigningKey.create(),
  ]);
  const directory = new Directory();
  for (const connection of options.connections ?? []) directory.trust(connection, options.project ?? 'Fabrikam');
  const keys = { azureDevOps: azureDevOpsKey, entra: entraKey };
  const entra = new Entra(base, directory, keys);
  const azureDevOps = new AzureDevOps(base, keys);
  const start = options.registry !== 'off';
  const [azurite, registry, proxy] = await Promise.all([
    azuriteStarted,
    createRegistry(base, entra, { folder, key: registryKey, hosts: registryHosts, start, shutdown }),
    startConnectProxy(base, certificates),
  ]);
  const storage = new Storage(base, entra, azurite, [flatAccount, lakeAccount]);
  shutdown.add(() => proxy.close());
  const serve = async (hosts: readonly string[], route: (call: Call) => Route): Promise<void> => {
    const front: HttpsFront = await startHttpsFront(base, certificates.server, route);
    shutdown.add(() => front.close());
    for (const host of hosts) proxy.map(host, front.port);
  };
  await serve(['dev.azure.com'], (call) => azureDevOps.route(call));
  await serve(['vstoken.dev.azure.com'], (call) => ({
    server: 'azureDevOps',
    answer: () => pipelineIssuerDocument(call, azureDevOpsKey),
  }));
  await serve(['login.microsoftonline.com'], (call) => entra.route(call));
  await serve(registryHosts, (call) => registry.route(call));
  await serve(storageNames(), (call) => storage.route(call));
  const handles = { proxy, azureDevOps, entra, registry, storage };
  return { ...handles, ...labActions(base, certificates, handles), stop: () => shutdown.run() };
}

function labActions(
  base: LabBase,
  certificates: LabCertificates,
  { proxy, azureDevOps, entra }: Pick<Lab, 'proxy' | 'azureDevOps' | 'entra'>,
): Omit<Lab, 'proxy' | 'azureDevOps' | 'entra' | 'registry' | 'storage' | 'stop'> {
  const { clock, faults, observations } = base;
  return {
    collectionUri,
    caFile: certificates.caFile,
    unrelatedCaFile: certificates.unrelatedCaFile,
    clock,
    observations,
    registerJob(job) {
      if (entra.directory.autoTrust)
        for (const connection of job.connections) entra.directory.trust(connection, job.project);
      return azureDevOps.registerJob(job);
    },
    endJob: (jobId) => azureDevOps.jobs.end(jobId),
    storeAttachment(planId, recordId, type, name, content) {
      const job = azureDevOps.jobs.ofPlan(planId);
      if (!job) throw new Error(`no job of plan ${planId} is registered`);
      azureDevOps.attachments.store({
        planId,
        timelineId: job.timelineId,
        recordId,
        type,
        name,
        content,
        source: 'agent',
      });
    },
    issuedSecrets: () => observations.secrets(),
    seenRequests: () => observations.requests(),
    refusedHosts: () => observations.refusedHosts(),
    fault: (server, fault) => faults.set(server, fault),
    clearFaults: (server) => faults.clear(server),
    clientEnvironment: () => ({
      HTTPS_PROXY: proxy.urlWithCredentials,
      https_proxy: proxy.urlWithCredentials,
      NO_PROXY: '',
      no_proxy: '',
      SSL_CERT_FILE: certificates.caFile,
      CURL_CA_BUNDLE: certificates.caFile,
      NODE_EXTRA_CA_CERTS: certificates.caFile,
    }),
  };
}

interface Place {
  readonly folder: string;
  readonly shutdown: Shutdown;
}

async function startStorage(place: Place & { readonly certificates: LabCertificates }): Promise<Azurite> {
  const azurite = await startAzurite(place.folder, place.certificates, [flatAccount.name, lakeAccount.name]);
  place.shutdown.add(() => azurite.stop());
  await seedBlobs(azurite, flatAccount.name, seededBlobs);
  return azurite;
}

async function createRegistry(
  base: LabBase,
  entra: Entra,
  place: Place & { readonly key: SigningKey; readonly hosts: readonly string[]; readonly start: boolean },
): Promise<Registry> {
  const { key, folder } = place;
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  const pkcs8 = key.privateKey.export({ type: 'pkcs8', format: 'der' });
  const signer = await selfSigned('registry token signer', spki, pkcs8);
  const registry = new Registry(base, entra, { key, certificateBase64: signer.derBase64 });
  const program = debianProgram('docker-registry');
  if (!place.start || !program.available) {
    registry.unavailableReason = program.available ? 'the lab was started without one' : program.reason;
    return registry;
  }
  for (const [index, host] of place.hosts.entries()) {
    const server = await startRegistryProcess({ host, folder, program: program.path, signingCertificate: signer.pem });
    place.shutdown.add(() => server.stop());
    if (index === 0) await seedRegistry(registry, host, server.upstream);
    registry.attach(host, server.upstream);
  }
  return registry;
}

async function seedRegistry(
  registry: Registry,
  host: string,
  upstream: Parameters<typeof seedImage>[0],
): Promise<void> {
  for (const repository of ['team/app', 'team/secret']) {
    const token = await registry.accessToken(host, [
      { type: 'repository', name: repository, actions: ['pull', 'push'] },
    ]);
    await seedImage(upstream, { host, repository, tag: 'v1', token });
  }
}

function storageNames(): readonly string[] {
  return [blobHost(flatAccount.name), blobHost(lakeAccount.name), `${lakeAccount.name}.dfs.core.windows.net`];
}

function servedNames(registryHosts: readonly string[]): readonly string[] {
  return ['login.microsoftonline.com', 'dev.azure.com', 'vstoken.dev.azure.com', ...registryHosts, ...storageNames()];
}

/** What must be undone, in the reverse order of its doing. */
class Shutdown {
  readonly #steps: (() => Promise<unknown>)[] = [];
  #ended = false;

  /** Adds a step. One that comes after the end, from a start that was under way, is run at once. */
  add(step: () => Promise<unknown>): void {
    if (this.#ended) step().catch(() => undefined);
    else this.#steps.push(step);
  }

  /** Runs every step, whatever happens to the others; throws the first failure at the end. */
  async run(): Promise<void> {
    this.#ended = true;
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      await step().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
