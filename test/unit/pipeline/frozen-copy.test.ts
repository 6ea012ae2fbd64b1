import assert from 'node:assert/strict';
import { ScopedTokenError } from '../../../src/errors.ts';
import { compareFrozen, readFrozenFacts } from '../../../src/pipeline/frozen-copy.ts';
import { Secret } from '../../../src/token/secret.ts';
import { connectionId, FakePipeline, federatedConnection } from '../steps/fake-pipeline.ts';

/** What comparing says after `change` was made to the job; empty when it says nothing. */
function afterChange(
  change: (pipeline: FakePipeline) => void,
  prepare: (pipeline: FakePipeline) => void = () => undefined,
): string {
  const pipeline = new FakePipeline();
  prepare(pipeline);
  const stored = JSON.stringify(readFrozenFacts(pipeline, connectionId));
  change(pipeline);
  try {
    compareFrozen(stored, readFrozenFacts(pipeline, connectionId));
    return '';
  } catch (error) {
    assert.ok(error instanceof ScopedTokenError);
    assert.equal(error.code, 'FROZEN_COPY_DIFFERS');
    return error.message;
  }
}

const connectionWith = (parameters: Record<string, string>, data: Record<string, string> = {}) => {
  const { parameters: own, data: ownData } = federatedConnection();
  const secrets = Object.entries(parameters).map(([name, value]) => [name, new Secret(value)]);
  return [
    federatedConnection({ parameters: { ...own, ...Object.fromEntries(secrets) }, data: { ...ownData, ...data } }),
  ];
};

describe('the frozen copy', () => {
  it('says nothing while nothing that it holds changes', () => {
    assert.equal(
      afterChange(() => undefined),
      '',
    );
    assert.equal(
      afterChange((pipeline) => {
        pipeline.variables['Build.BuildNumber'] = 'another';
        pipeline.secretVariables['SCOPED_TOKEN'] = 'new';
      }),
      '',
    );
  });

  it('names every variable that decides where credentials come from and go to', () => {
    const names = [
      'System.CollectionUri',
      'System.TeamFoundationCollectionUri',
      'System.TeamProjectId',
      'System.PlanId',
      'System.JobId',
      'System.TimelineId',
      'System.TaskInstanceId',
      'System.HostType',
      'System.OidcRequestUri',
      'Agent.TempDirectory',
      'Agent.ProxyUrl',
      'Agent.ProxyUsername',
      'Agent.ProxyBypassList',
      'Agent.CAInfo',
      'Agent.SkipCertValidation',
    ];
    for (const name of names) {
      const message = afterChange((pipeline) => {
        pipeline.variables[name] = 'https://evil.example/';
      });
      assert.ok(message.includes(`variable ${name} (was `), name);
      assert.ok(message.includes('is "https://evil.example/"'), name);
      const removed = afterChange(
        (pipeline) => delete pipeline.variables[name],
        (pipeline) => {
          pipeline.variables[name] = 'set';
        },
      );
      assert.ok(removed.includes(`variable ${name} (was "set", is not set)`), removed);
    }
  });

  it('names what was changed in the connection, also what was added or taken away', () => {
    const rows: [(pipeline: FakePipeline) => void, RegExp][] = [
      [
        (p) => {
          p.connections = [];
        },
        /connection parameter tenantid.*connection scheme.*connection url/s,
      ],
      [
        (p) => {
          p.connections = [federatedConnection({ url: 'https://evil.example/' })];
        },
        /connection url \(was .*evil/,
      ],
      [
        (p) => {
          p.connections = [federatedConnection({ scheme: 'ServicePrincipal' })];
        },
        /connection scheme \(was "Work.*Serv/,
      ],
      [
        (p) => {
          p.connections = connectionWith({ tenantid: 'evil' });
        },
        /connection parameter tenantid \(its value is not shown\)/,
      ],
      [
        (p) => {
          p.connections = connectionWith({ added: 'x' });
        },
        /connection parameter added/,
      ],
      [
        (p) => {
          p.connections = connectionWith({}, { environment: 'evil' });
        },
        /connection data environment \(was "AzureCloud", is "evil"\)/,
      ],
      [
        (p) => {
          p.connections = connectionWith({}, { environmentauthorityurl: 'https://evil.example' });
        },
        /data environmentauthorityurl \(was not set/,
      ],
      [
        (p) => {
          p.collection = { url: 'https://evil.example/', accessToken: new Secret('x') };
        },
        /collection of the system connection/,
      ],
      [
        (p) => {
          p.collection = undefined;
        },
        /collection of the system connection \(was .*is not set/,
      ],
    ];
    for (const [change, expected] of rows) assert.match(afterChange(change), expected);
  });

  it('names several changes at once', () => {
    const message = afterChange((pipeline) => {
      pipeline.variables['System.JobId'] = 'a';
      pipeline.variables['System.PlanId'] = 'b';
    });
    assert.match(message, /System\.JobId .*; variable System\.PlanId /);
  });

  it('notices that another connection is named', () => {
    const pipeline = new FakePipeline();
    const stored = JSON.stringify(readFrozenFacts(pipeline, connectionId));
    assert.throws(
      () => compareFrozen(stored, readFrozenFacts(pipeline, 'other')),
      /connection id \(was "6.*is "other"\)/,
    );
    assert.throws(
      () => compareFrozen(stored, readFrozenFacts(pipeline, undefined)),
      /connection id \(was "6.*is not set\)/,
    );
  });

  it('holds secrets as digests, and says only that one changed', () => {
    const pipeline = new FakePipeline();
    pipeline.secretVariables['Agent.ProxyPassword'] = 'hunter2-before';
    pipeline.connections = connectionWith({ serviceprincipalkey: 'key-before' });
    const stored = JSON.stringify(readFrozenFacts(pipeline, connectionId));
    assert.doesNotMatch(stored, /hunter2|key-before|job-access-token/);
    pipeline.secretVariables['Agent.ProxyPassword'] = 'hunter2-after';
    pipeline.connections = connectionWith({ serviceprincipalkey: 'key-after' });
    try {
      compareFrozen(stored, readFrozenFacts(pipeline, connectionId));
      assert.fail('a change was not noticed');
    } catch (error) {
      const message = String(error);
      assert.match(message, /parameter serviceprincipalkey \(its value is not shown\)/);
      assert.match(message, /Agent\.ProxyPassword \(its value is not shown\)/);
      assert.doesNotMatch(message, /hunter2|key-|sha256/);
    }
  });

  it('notices a secret that was set, or taken away, without showing it', () => {
    const set = afterChange((pipeline) => {
      pipeline.secretVariables['Agent.ProxyPassword'] = 'hunter2';
    });
    assert.match(set, /Agent\.ProxyPassword \(its value is not shown\)/);
  });

  it('shows no password that stands in an address', () => {
    const message = afterChange(
      (pipeline) => {
        pipeline.variables['Agent.ProxyUrl'] = 'http://evil.example/';
      },
      (pipeline) => {
        pipeline.variables['Agent.ProxyUrl'] = 'http://svc:hunter2@proxy.contoso.example:8080';
      },
    );
    assert.match(message, /variable Agent\.ProxyUrl/);
    assert.doesNotMatch(message, /hunter2/);
  });

  it('is missing where it was not stored, or is no copy', () => {
    const now = readFrozenFacts(new FakePipeline(), connectionId);
    for (const stored of [undefined, '', 'null', '1', '"text"', '{', 'true']) {
      assert.throws(() => compareFrozen(stored, now), { name: 'ScopedTokenError', code: 'FROZEN_COPY_MISSING' });
    }
    for (const stored of ['{}', '[]']) {
      assert.throws(() => compareFrozen(stored, now), { name: 'ScopedTokenError', code: 'FROZEN_COPY_DIFFERS' });
    }
  });
});
