import assert from 'node:assert/strict';
import { readJobContext } from '../../../src/pipeline/job-context.ts';
import { oidcAddress } from '../../../src/pipeline/oidc-address.ts';
import { FakePipeline } from '../steps/fake-pipeline.ts';

const collection = 'https://dev.azure.com/contoso/';

function addressWith(variables: Record<string, string>, collectionUrl = collection): string {
  const pipeline = new FakePipeline();
  Object.assign(pipeline.variables, variables);
  return oidcAddress(pipeline, readJobContext(pipeline), collectionUrl);
}

describe('the address of the OIDC route', () => {
  it('is what the server says', () => {
    const address = 'https://dev.azure.com/contoso/p/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken';
    assert.equal(addressWith({ 'System.OidcRequestUri': address }), address);
  });

  it('is built from the ids of the job where the server does not say', () => {
    const ids =
      '11111111-1111-4111-8111-111111111111/_apis/distributedtask/hubs/build/plans/22222222-2222-4222-8222-222222222222/jobs/33333333-3333-4333-8333-333333333333/oidctoken';
    for (const url of ['https://dev.azure.com/contoso', 'https://dev.azure.com/contoso///']) {
      assert.equal(addressWith({ 'System.OidcRequestUri': '' }, url), `https://dev.azure.com/contoso/${ids}`);
    }
    assert.match(addressWith({ 'System.OidcRequestUri': '', 'System.HostType': 'Release' }), /\/hubs\/release\//);
  });

  it('cannot be built for another kind of job', () => {
    for (const type of ['deployment', 'checks', '../build']) {
      const variables = { 'System.OidcRequestUri': '', 'System.HostType': type };
      assert.throws(() => addressWith(variables), { code: 'OIDC_NOT_AVAILABLE' });
    }
  });

  it('is on the origin of the collection and nowhere else', () => {
    const elsewhere = [
      'https://evil.example/contoso/oidctoken',
      'https://dev.azure.com.evil.example/contoso/oidctoken',
      'https://dev.azure.com@evil.example/oidctoken',
      'https://evil.example/https://dev.azure.com/',
      'https://dev.azure.com:8443/contoso/oidctoken',
      'http://dev.azure.com/contoso/oidctoken',
      'https://xdev.azure.com/',
      '//dev.azure.com/contoso',
      'dev.azure.com/contoso',
      'javascript:alert(1)',
      'file:///dev.azure.com/',
    ];
    for (const address of elsewhere) {
      assert.throws(() => addressWith({ 'System.OidcRequestUri': address }), { code: 'HOST_NOT_ALLOWED' }, address);
    }
  });

  it('says of a refused address its origin, and no more', () => {
    const address = 'https://user:hunter2@evil.example/path?code=c2VjcmV0';
    assert.throws(
      () => addressWith({ 'System.OidcRequestUri': address }),
      (error: Error) => {
        assert.match(error.message, /\(https:\/\/evil\.example\)/);
        assert.doesNotMatch(error.message, /hunter2|c2VjcmV0|path/);
        return true;
      },
    );
  });

  it('is none on Azure DevOps Server', () => {
    for (const type of ['OnPremises', 'onpremises', 'ONPREMISES']) {
      assert.throws(() => addressWith({ 'System.ServerType': type }), { code: 'OIDC_NOT_AVAILABLE' });
    }
    assert.match(addressWith({ 'System.ServerType': 'Hosted' }), /oidctoken$/);
  });
});
