import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { RunResult } from '../agent/run-result.ts';
import { requireDebian } from '../requires.ts';
import {
  curlLines,
  outputsOf,
  pipelineOf,
  printed,
  registryStep,
  scriptStep,
  statusesOf,
  variablesSet,
  warningCodes,
} from './pipelines.ts';
import { exampleConnections, labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const host = 'contoso.azurecr.io';
const zeroUser = '00000000-0000-0000-0000-000000000000';
const logIn = `printf %s "$TOKEN" | skopeo login ${host} --username ${zeroUser} --password-stdin`;
const logOut = `skopeo logout ${host}`;

/** Runs skopeo and prints `LABEL: done` or `LABEL: refused`; what skopeo says is kept for the log. */
const copy = (label: string, from: string, to: string): string =>
  `skopeo --insecure-policy copy --quiet ${from} ${to} && echo "${label}: done" || echo "${label}: refused"`;

const bearer = ['Authorization: Bearer $TOKEN'];

function fingerprint(value: string): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 16);
}

describe('a token for a container registry', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  before(function () {
    requireDebian(this, 'docker-registry');
    requireDebian(this, 'skopeo');
    requireDebian(this, 'curl');
  });

  /** Secrets of one kind that the lab issued while `work` ran. */
  async function issuedDuring(kind: string, work: () => Promise<RunResult>): Promise<[RunResult, readonly string[]]> {
    const before = new Set(suite.lab.issuedSecrets().map(({ value }) => value));
    const run = await work();
    const issued = suite.lab.issuedSecrets().filter((secret) => secret.kind === kind && !before.has(secret.value));
    return [run, issued.map(({ value }) => value)];
  }

  it('pulls the declared repository; push, another repository and the catalogue are refused', async () => {
    const [run, refreshTokens] = await issuedDuring('registryRefreshToken', () =>
      runScenario(suite.lab, {
        pipeline: pipelineOf(
          registryStep({ name: 'image', scopes: 'pull on team/app', evidence: 'confirmed' }),
          scriptStep(
            [
              logIn,
              copy('pull', `docker://${host}/team/app:v1`, 'oci:image:v1'),
              copy('push', 'oci:image:v1', `docker://${host}/team/app:pushed`),
              copy('other repository', `docker://${host}/team/secret:v1`, 'oci:other:v1'),
              logOut,
              copy('pull after logging out', `docker://${host}/team/app:v1`, 'oci:again:v1'),
              curlLines([
                {
                  label: 'manifest',
                  url: `https://${host}/v2/team/app/manifests/v1`,
                  headers: [...bearer, 'Accept: application/vnd.oci.image.manifest.v1+json'],
                },
                { label: 'tags', url: `https://${host}/v2/team/app/tags/list`, headers: bearer },
                { label: 'catalogue', url: `https://${host}/v2/_catalog`, headers: bearer },
                { label: 'tags of another', url: `https://${host}/v2/team/secret/tags/list`, headers: bearer },
                {
                  label: 'start of a push',
                  url: `https://${host}/v2/team/app/blobs/uploads/`,
                  method: 'POST',
                  headers: bearer,
                },
                {
                  label: 'deletion',
                  url: `https://${host}/v2/team/app/manifests/v1`,
                  method: 'DELETE',
                  headers: bearer,
                },
                { label: 'without token', url: `https://${host}/v2/team/app/tags/list` },
              ]),
            ],
            { TOKEN: '$(REGISTRY_TOKEN)' },
          ),
        ),
      }),
    );
    assert.equal(run.result, 'Succeeded');
    assert.deepEqual(
      ['pull', 'push', 'other repository', 'pull after logging out'].map((label) => printed(run, label)),
      ['done', 'refused', 'refused', 'refused'],
    );
    assert.deepEqual(statusesOf(run), {
      ...{ manifest: 200, tags: 200, catalogue: 401, 'tags of another': 401 },
      ...{ 'start of a push': 401, deletion: 401, 'without token': 401 },
    });
    assertRefreshTokenStayed(run, refreshTokens);
    const outputs = outputsOf(stageOf(run, 'image'));
    const tokens = suite.lab.issuedSecrets().filter(({ kind }) => kind === 'registryToken');
    assert.ok(
      tokens.some(({ value }) => fingerprint(value) === outputs['fingerprint']),
      'the variable holds an access token of the registry',
    );
  });

  /** The harness looks for every secret everywhere; this says once more, by name, what must not leave the step. */
  function assertRefreshTokenStayed(run: RunResult, refreshTokens: readonly string[]): void {
    assert.equal(refreshTokens.length, 1);
    const left = JSON.stringify([run.variables, run.attachments, run.summary, run.log, run.issues]);
    for (const token of refreshTokens) {
      const [head = '', claims = '', signature = ''] = token.split('.');
      assert.ok(head.length > 20 && claims.length > 20 && signature.length > 20);
      for (const part of [claims, signature, Buffer.from(token).toString('base64').slice(0, -4)]) {
        assert.ok(!left.includes(part), 'no part of the refresh token was left');
      }
      assert.notEqual(outputsOf(stageOf(run, 'image'))['fingerprint'], fingerprint(token));
    }
    assert.deepEqual(variablesSet(run), ['REGISTRY_TOKEN']);
  }

  it('carries several repositories and lines in one token, and pushes where that was declared', async () => {
    const scopes = ['# what the release needs', 'pull on team/app', '', 'pull on team/secret', 'push on team/app'];
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        registryStep({
          name: 'images',
          scopes: scopes.join('\n'),
          resource: `https://${host}/`,
          evidence: 'confirmed',
        }),
        scriptStep(
          [
            logIn,
            copy('pull', `docker://${host}/team/app:v1`, 'oci:image:v1'),
            copy('pull the other', `docker://${host}/team/secret:v1`, 'oci:other:v1'),
            copy('push', 'oci:image:v1', `docker://${host}/team/app:v2`),
            copy('push the other', 'oci:other:v1', `docker://${host}/team/secret:v2`),
            logOut,
            curlLines([{ label: 'catalogue', url: `https://${host}/v2/_catalog`, headers: bearer }]),
          ],
          { TOKEN: '$(REGISTRY_TOKEN)' },
        ),
      ),
    });
    assert.equal(run.result, 'Succeeded');
    assert.deepEqual(
      ['pull', 'pull the other', 'push', 'push the other'].map((label) => printed(run, label)),
      ['done', 'done', 'done', 'refused'],
    );
    assert.deepEqual(statusesOf(run), { catalogue: 401 });
    const outputs = outputsOf(stageOf(run, 'images'));
    assert.equal(outputs['grantedScopes'], 'pull,push on team/app; pull on team/secret');
    assert.equal(outputs['excess'], '');
    assert.equal(outputs['proof'], 'readBack');
    assert.deepEqual(warningCodes(stageOf(run, 'images')), []);
  });

  it('says so when the registry grants less, or for longer, than was declared', async () => {
    const { lab } = suite;
    const client = exampleConnections.find(({ name }) => name === 'sc-images')?.parameters['serviceprincipalid'] ?? '';
    lab.registry.roles.set(client, new Map([['team/app', ['pull']]]));
    const run = await runScenario(lab, {
      pipeline: pipelineOf(
        registryStep({ name: 'images', scopes: 'pull,push on team/app', lifetimeMinutes: '10', evidence: 'confirmed' }),
      ),
    });
    const images = stageOf(run, 'images');
    assert.equal(run.result, 'Succeeded');
    assert.deepEqual(warningCodes(images), ['GRANTED_LESS', 'LIFETIME_LONGER']);
    assert.match(images.issues[0]?.message ?? '', /missing: push on team\/app/);
    assert.match(images.issues[1]?.message ?? '', /lives 75 minutes, not 10/);
    assert.equal(outputsOf(images)['grantedScopes'], 'pull on team/app');
    const seconds = (Date.parse(outputsOf(images)['expiresOn'] ?? '') - Date.parse(images.startedAt)) / 1000;
    assert.ok(Math.abs(seconds - 75 * 60) < 10, `75 minutes, not ${seconds / 60}`);
  });
});
