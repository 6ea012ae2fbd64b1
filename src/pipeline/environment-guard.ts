/** Environment names that change how Node, TLS or identity behave. `*` stands for any characters. */
const refusedNames = [
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_EXTRA_CA_CERTS',
  'NODE_DEBUG',
  'NODE_V8_COVERAGE',
  'NODE_COMPILE_CACHE',
  'SSL_CERT_*',
  'OPENSSL_*',
  'SSLKEYLOGFILE',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'LD_AUDIT',
  'DYLD_*',
  '*_PROXY',
  'DEBUG',
  'AZURE_AUTHORITY_HOST',
  'AZURE_REGIONAL_AUTHORITY_NAME',
  'AZURE_POD_IDENTITY_AUTHORITY_HOST',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_LOG_LEVEL',
  'IDENTITY_*',
  'MSI_*',
  'IMDS_ENDPOINT',
  // What the agent itself writes for this step. Agents before 5.277 write variables last, so that these would win; and a
  // task variable that was never stored, as where the pre-job stage was skipped, could be made up by any step.
  'VSTS_TASKVARIABLE_*',
  'ENDPOINT_URL_*',
  'ENDPOINT_AUTH_*',
  'ENDPOINT_DATA_*',
  'INPUT_CONNECTIONTYPE',
  'INPUT_AZURECONNECTION',
  'INPUT_TARGET',
  'INPUT_RESOURCE',
  'INPUT_SCOPES',
  'INPUT_VARIABLE',
  'INPUT_PURPOSE',
  'INPUT_LIFETIMEMINUTES',
  'INPUT_EVIDENCE',
];

const patterns = refusedNames.map((name) => new RegExp(`^${name.replace('*', '.*')}$`));

/**
 * Names of pipeline variables that change how this process behaves. Variables are in the environment under the name
 * that the agent makes of theirs: upper-case, blanks and dots as underscores. The same names in the agent's own
 * environment are the administrator's, and are not listed in VSTS_PUBLIC_VARIABLES.
 *
 * Returns them as the pipeline wrote them; `undefined` when the list cannot be read, which is to be refused too.
 */
export function refusedVariables(
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] | undefined {
  const names = publicNames(environment['VSTS_PUBLIC_VARIABLES']);
  return names?.filter((name) => patterns.some((pattern) => pattern.test(mangledName(name))));
}

/** The environment name that the agent gives a variable. */
export function mangledName(name: string): string {
  return name.replace(/[. ]/g, '_').toUpperCase();
}

function publicNames(list: string | undefined): readonly string[] | undefined {
  try {
    // The agent always sets it; absent, it may have been too long for this process to read.
    const names: unknown = JSON.parse(list ?? '');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : undefined;
  } catch {
    return undefined;
  }
}

/** The logging commands that end the step, printed before any other module is loaded. */
export function refusalLines(names: readonly string[] | undefined): readonly string[] {
  const happened = names
    ? `The pipeline sets ${names.map(harmless).join(', ')}, which changes how this task's Node, TLS or identity works, or stands in the place of what the agent itself tells the step.`
    : 'The list of the job’s variables (VSTS_PUBLIC_VARIABLES) cannot be read.';
  const message = [
    `ENVIRONMENT_REFUSED: ${happened}`,
    'Why: a variable of the pipeline, or a step before this one, set it; with it a token could be sent elsewhere.',
    'Next: remove the variable from the pipeline, or set it on the one step that needs it with env:. What the agent needs for itself (proxy, certificate authority) belongs to the agent: --proxyurl, --sslcacert, or the environment of its service.',
  ].join('%0A');
  return [
    `##vso[task.logissue type=error;code=ENVIRONMENT_REFUSED;]${message}`,
    '##vso[task.complete result=Failed;]ENVIRONMENT_REFUSED',
  ];
}

/** The same where the agent's task library cannot be loaded: it keeps a key in the agent's temp folder. */
export function startFailureLines(cause: unknown, type: 'error' | 'warning'): readonly string[] {
  const code = String((cause as { code?: unknown } | null)?.code ?? 'unknown cause').replace(/[^\w ]/g, '');
  const message = [
    `LEDGER_WRITE: The agent's temp folder cannot be written to (${code}).`,
    'Why: it is missing, full or read-only; or a step of this job changed Agent.TempDirectory.',
    'Next: check the folder on the agent machine, and what sets Agent.TempDirectory in this pipeline. No credential was requested and no variable was set.',
  ].join('%0A');
  const result = type === 'error' ? 'Failed' : 'Succeeded';
  return [
    `##vso[task.logissue type=${type};code=LEDGER_WRITE;]${message}`,
    `##vso[task.complete result=${result};]LEDGER_WRITE`,
  ];
}

function harmless(name: string): string {
  return name.replace(/[^\w. -]/g, '?');
}
