import assert from 'node:assert/strict';
import { readJobContext } from '../../../src/pipeline/job-context.ts';
import { FakePipeline } from '../steps/fake-pipeline.ts';

const needed = [
  'System.CollectionUri',
  'System.TeamProjectId',
  'System.PlanId',
  'System.JobId',
  'System.TaskInstanceId',
  'System.HostType',
  'Agent.TempDirectory',
];

describe('facts of the job', () => {
  it('are read from the agent variables', () => {
    const pipeline = new FakePipeline();
    pipeline.variables['Build.SourceBranch'] = 'refs/heads/main';
    const job = readJobContext(pipeline);
    assert.equal(job.organisation, 'contoso');
    assert.equal(job.stepId, '55555555-5555-4555-8555-555555555555');
    assert.equal(job.timelineId, '44444444-4444-4444-8444-444444444444');
    assert.equal(job.tempFolder, '/agent/_temp');
    assert.equal(job.jobAttempt, 1);
    assert.equal(job.runId, '42');
    assert.deepEqual(job.facts, { project: 'shop', branch: 'refs/heads/main', requestedFor: 'Release service' });
  });

  it('name every one that is absent', () => {
    const pipeline = new FakePipeline();
    pipeline.variables = {};
    assert.throws(
      () => readJobContext(pipeline),
      (error: Error) => {
        assert.match(error.message, /^FACT_MISSING: /);
        for (const name of needed) assert.ok(error.message.includes(name), name);
        return true;
      },
    );
    for (const name of needed) {
      const one = new FakePipeline();
      delete one.variables['System.TeamFoundationCollectionUri'];
      delete one.variables[name];
      assert.throws(() => readJobContext(one), { code: 'FACT_MISSING', message: new RegExp(`did not say ${name}\\.`) });
    }
  });

  it('leave out what need not be there', () => {
    const pipeline = new FakePipeline();
    for (const name of ['System.TimelineId', 'Build.BuildId', 'System.JobAttempt']) delete pipeline.variables[name];
    const job = readJobContext(pipeline);
    assert.ok(!('timelineId' in job) && !('runId' in job));
    assert.equal(job.jobAttempt, 1);
  });

  it('are those of the release in a release, not of the build that made its artifact', () => {
    const pipeline = new FakePipeline();
    Object.assign(pipeline.variables, {
      'System.HostType': 'release',
      'Release.ReleaseId': '7',
      'Release.ReleaseName': 'Release-7',
      'Release.DefinitionName': 'cd',
      'Release.RequestedFor': 'Release approver',
      'System.TeamFoundationCollectionUri': 'https://dev.azure.com/contoso/',
    });
    delete pipeline.variables['System.CollectionUri'];
    const job = readJobContext(pipeline);
    assert.deepEqual(
      [job.runId, job.facts['run'], job.facts['pipeline'], job.facts['requestedFor'], job.organisation],
      ['7', 'Release-7', 'cd', 'Release approver', 'contoso'],
    );
  });

  it('count attempts from 1, whatever the variable says', () => {
    const attempts = { '2': 2, '0': 1, x: 1, '': 1 };
    for (const [text, expected] of Object.entries(attempts)) {
      const pipeline = new FakePipeline();
      pipeline.variables['System.JobAttempt'] = text;
      assert.equal(readJobContext(pipeline).jobAttempt, expected, text);
    }
  });

  it('name the organisation as people do', () => {
    const rows = {
      'https://dev.azure.com/contoso/': 'contoso',
      'https://dev.azure.com/Contoso': 'Contoso',
      'https://fabrikam.visualstudio.com/': 'fabrikam',
      'https://fabrikam.visualstudio.com/DefaultCollection/': 'fabrikam',
      'https://tfs.contoso.example/tfs/DefaultCollection/': 'tfs.contoso.example/tfs/DefaultCollection',
      'http://tfs:8080/': 'tfs:8080',
      'https://dev.azure.com.evil.example/contoso/': 'dev.azure.com.evil.example/contoso',
      'https://a.b.visualstudio.com/': 'a.b.visualstudio.com',
      'https://dev.azure.com/': 'dev.azure.com',
    };
    for (const [uri, expected] of Object.entries(rows)) {
      const pipeline = new FakePipeline();
      pipeline.variables['System.CollectionUri'] = uri;
      assert.equal(readJobContext(pipeline).organisation, expected);
    }
  });
});
