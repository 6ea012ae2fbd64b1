import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from '../io/child.ts';

/** A line that the script prints with `say`. */
const marker = 'SAID ';

/** What a script said and printed as the task's process. */
export interface AgentProcessResult {
  /** What it passed to `say`. */
  readonly said: readonly unknown[];
  /** The other lines of standard output, without what the task library says for debugging. */
  readonly lines: readonly string[];
  readonly stderr: string;
  readonly status: number | null;
}

/** Environment of a job that has one connection. */
export const agentEnvironment: Readonly<Record<string, string>> = {
  INPUT_TARGET: '  storage ',
  INPUT_SCOPES: 'read on logs\nlist on logs\n',
  INPUT_PURPOSE: '',
  SYSTEM_JOBID: 'job-1',
  VSTS_PUBLIC_VARIABLES: '["System.JobId"]',
  VSTS_SECRET_VARIABLES: '["Agent.ProxyPassword","my.secret","empty"]',
  SECRET_AGENT_PROXYPASSWORD: 'hunter2-proxy',
  SECRET_MY_SECRET: 'my-secret-value',
  ENDPOINT_URL_SYSTEMVSSCONNECTION: 'https://dev.azure.com/contoso/',
  ENDPOINT_AUTH_SYSTEMVSSCONNECTION: '{"parameters":{"AccessToken":"job-access-token"},"scheme":"OAuth"}',
  'ENDPOINT_URL_66666666-6666-4666-8666-666666666666': 'https://management.azure.com/',
  'ENDPOINT_AUTH_66666666-6666-4666-8666-666666666666':
    '{"parameters":{"TenantId":"t","serviceprincipalid":"c","__proto__":"p","none":null},"scheme":"WorkloadIdentityFederation"}',
  'ENDPOINT_DATA_66666666-6666-4666-8666-666666666666':
    '{"Environment":"AzureCloud","count":1,"none":null,"__proto__":"p"}',
};

/** Runs the body of an async function with `pipeline` and `say` in a process whose environment is an agent's. */
export async function runInAgent(
  body: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<AgentProcessResult> {
  const folder = await mkdtemp(join(tmpdir(), 'scoped-token-agent-'));
  try {
    const script = `import { azurePipelines } from './src/pipeline/azure-pipelines.ts';
      import { ScopedTokenError } from './src/errors.ts';
      import { Secret } from './src/token/secret.ts';
      const say = (value) => process.stdout.write('${marker}' + JSON.stringify(value ?? null) + '\\n');
      const pipeline = await azurePipelines();
      ${body}`;
    const result = await runChild(script, {
      environment: { ...agentEnvironment, AGENT_TEMPDIRECTORY: folder, ...environment },
    });
    const all = result.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('##vso[task.debug]'));
    return {
      said: all
        .filter((line) => line.startsWith(marker))
        .map((line) => JSON.parse(line.slice(marker.length)) as unknown),
      lines: all.filter((line) => !line.startsWith(marker)),
      stderr: result.stderr,
      status: result.status,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
