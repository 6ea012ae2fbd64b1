/** Names of the Azure clouds, as an AzureRM connection's `environment` gives them. */
export type CloudName = 'AzureCloud' | 'AzureUSGovernment' | 'AzureChinaCloud';

/**
 * The built-in table of cloud × purpose. A credential leaves for these hosts only; no input can add one.
 */
export interface Cloud {
  readonly name: CloudName;
  /** Hosts of Microsoft Entra; the first is the default. */
  readonly authorityHosts: readonly string[];
  /** Older names that connections still hold. Nothing is sent to them: the default stands for them. */
  readonly authorityAliases: readonly string[];
  /** Audience of a federated credential's assertion. */
  readonly assertionAudience: string;
  readonly storageAudience: string;
  /** `ACCOUNT` + one of these. */
  readonly storageSuffixes: readonly string[];
  readonly registryAudience: string;
  readonly registrySuffixes: readonly string[];
}

const clouds: readonly Cloud[] = [
  {
    name: 'AzureCloud',
    authorityHosts: ['login.microsoftonline.com'],
    authorityAliases: ['login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    assertionAudience: 'api://AzureADTokenExchange',
    storageAudience: 'https://storage.azure.com',
    storageSuffixes: ['.blob.core.windows.net', '.dfs.core.windows.net'],
    registryAudience: 'https://containerregistry.azure.net',
    registrySuffixes: ['.azurecr.io'],
  },
  {
    name: 'AzureUSGovernment',
    authorityHosts: ['login.microsoftonline.us'],
    authorityAliases: ['login-us.microsoftonline.com'],
    assertionAudience: 'api://AzureADTokenExchangeUSGov',
    storageAudience: 'https://storage.azure.com',
    storageSuffixes: ['.blob.core.usgovcloudapi.net', '.dfs.core.usgovcloudapi.net'],
    registryAudience: 'https://containerregistry.azure.net',
    registrySuffixes: ['.azurecr.us'],
  },
  {
    name: 'AzureChinaCloud',
    authorityHosts: ['login.chinacloudapi.cn', 'login.partner.microsoftonline.cn'],
    authorityAliases: [],
    assertionAudience: 'api://AzureADTokenExchangeChina',
    storageAudience: 'https://storage.azure.com',
    storageSuffixes: ['.blob.core.chinacloudapi.cn', '.dfs.core.chinacloudapi.cn'],
    registryAudience: 'https://containerregistry.azure.net',
    registrySuffixes: ['.azurecr.cn'],
  },
];

/** Names of all clouds in the table. */
export const cloudNames: readonly CloudName[] = clouds.map((cloud) => cloud.name);

/** The cloud of that name, compared without case; `undefined` when the table has none. */
export function cloudNamed(name: string): Cloud | undefined {
  const wanted = name.toLowerCase();
  return clouds.find((cloud) => cloud.name.toLowerCase() === wanted);
}
