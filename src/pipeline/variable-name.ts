import { mangledName } from './environment-guard.ts';

/** Names that the agent, a shell, a loader or a runtime reads. `*` stands for any characters. */
const reserved = [
  'AGENT_*',
  'BUILD_*',
  'CHECKS_*',
  'COMMON_*',
  'DISTRIBUTEDTASK_*',
  'ENDPOINT_*',
  'ENVIRONMENT_*',
  'INPUT_*',
  'PIPELINE_*',
  'RELEASE_*',
  'RESOURCES_*',
  'SECRET_*',
  'SECUREFILE_*',
  'STRATEGY_*',
  'SYSTEM_*',
  'TASK_*',
  'TF_BUILD',
  'VSTS_*',
  'VSO_*',
  'PATH',
  'PATHEXT',
  'HOME',
  'USER',
  'SHELL',
  'IFS',
  'ENV',
  'BASH_ENV',
  'BASH_FUNC_*',
  'PS4',
  'PROMPT_COMMAND',
  'CDPATH',
  'TMPDIR',
  'TEMP',
  'TMP',
  'COMSPEC',
  'SYSTEMROOT',
  'WINDIR',
  'PSMODULEPATH',
  'LD_*',
  'DYLD_*',
  'NODE_*',
  'NPM_CONFIG_*',
  'PYTHON*',
  'PERL5*',
  'RUBY*',
  'JAVA_TOOL_OPTIONS',
  'JDK_JAVA_OPTIONS',
  'DOTNET_*',
  'COMPLUS_*',
  'GIT_*',
  'SSH_*',
  'DOCKER_*',
  'OPENSSL_*',
  'SSL_CERT_*',
  '*_PROXY',
  'DEBUG',
  'AZURE_AUTHORITY_HOST',
  'AZURE_POD_IDENTITY_AUTHORITY_HOST',
  'AZURE_FEDERATED_TOKEN_FILE',
  'IDENTITY_*',
  'MSI_*',
  'IMDS_ENDPOINT',
];

const patterns = reserved.map((name) => new RegExp(`^${name.replace('*', '.*')}$`));

/** The one rule for `variable`, as messages and docs say it. */
export const variableNameRule =
  'a letter, then at most 127 letters, digits, underscores or dots; not a name that the agent, a shell or a runtime reads (System.*, Build.*, PATH, NODE_*, …)';

/** What is wrong with the name of the variable to set; `undefined` when it may be used. */
export function variableNameMistake(name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_.]{0,127}$/.test(name)) return `is not a variable name here: ${variableNameRule}`;
  const mangled = mangledName(name);
  if (patterns.some((pattern) => pattern.test(mangled)))
    return 'is a name that the agent, a shell or a runtime reads; choose another, such as APP_TOKEN';
  return undefined;
}
