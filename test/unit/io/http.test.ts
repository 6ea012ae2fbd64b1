import assert from 'node:assert/strict';
import { isAllowedHost } from '../../../src/io/http.ts';

describe('allowed hosts', () => {
  it('are full names, compared without case', () => {
    assert.ok(isAllowedHost('dev.azure.com', ['dev.azure.com']));
    assert.ok(isAllowedHost('DEV.Azure.com', ['other.example', 'dev.azure.com']));
    for (const host of [
      'azure.com',
      'x.dev.azure.com',
      'dev.azure.com.evil.example',
      'dev.azure.com.',
      '',
      'devXazure.com',
    ]) {
      assert.ok(!isAllowedHost(host, ['dev.azure.com']), host);
    }
    assert.ok(!isAllowedHost('dev.azure.com', []));
  });

  it('are one label under a suffix that begins with a dot', () => {
    const suffixes = ['.azurecr.io', '.blob.core.windows.net'];
    for (const host of ['contoso.azurecr.io', 'CONTOSO.AzureCR.io', 'a-1.azurecr.io', 'x.blob.core.windows.net']) {
      assert.ok(isAllowedHost(host, suffixes), host);
    }
    const refused = [
      'contoso.azurecr.io.evil.example',
      'a.b.azurecr.io',
      'azurecr.io',
      '.azurecr.io',
      'contosoazurecr.io',
      'contoso.azurecr.io.',
      '-a.azurecr.io',
      'a-.azurecr.io',
      'a_b.azurecr.io',
      'evil.example/.azurecr.io',
      'evil.example#.azurecr.io',
      'user@evil.azurecr.io',
      'contoso%2eevil.azurecr.io',
      'cöntoso.azurecr.io',
      'contoso\n.azurecr.io',
      `${'a'.repeat(100_000)}!.azurecr.io`,
    ];
    for (const host of refused) assert.ok(!isAllowedHost(host, suffixes), host.slice(0, 60));
  });
});
