import { join } from 'node:path';
import type { JobIdentity } from './job-identity.ts';
import type { JobServer } from './job-server.ts';
import type { AgentFolders } from './path-map.ts';
import type { RunOptions } from './run-options.ts';

type Values = Readonly<Record<string, string>>;

const repositoryId = '5c1a3d2e-6f70-4a9b-8c1d-0e2f3a4b5c6d';
const requesterId = '9b2f7c1e-44d3-4a58-9f60-71c8a2e5d304';
const requester = 'Fabrikam Build Service (contoso)';

function systemVariables(identity: JobIdentity, server: JobServer, options: RunOptions): Values {
  const attempt = String(identity.attempt);
  return {
    'system.collectionUri': server.collectionUri,
    'system.teamFoundationCollectionUri': server.collectionUri,
    'system.teamFoundationServerUri': server.collectionUri,
    'system.collectionId': '3d5e2b4a-1c6f-4e8d-9a70-b2c4d6e8f012',
    'system.teamProject': identity.project,
    'system.teamProjectId': identity.projectId,
    'system.hosttype': identity.hub,
    'system.servertype': 'Hosted',
    'system.culture': 'en-US',
    'system.definitionId': '12',
    'system.definitionName': 'Fabrikam-CI',
    'system.planId': identity.planId,
    'system.jobId': identity.jobId,
    'system.timelineId': identity.timelineId,
    'system.stageId': '96ac2280-8cb4-5df5-99de-dd2da759617d',
    'system.stageName': '__default',
    'system.stageDisplayName': '__default',
    'system.stageAttempt': attempt,
    'system.phaseId': '3a3a2a60-14c7-570b-14a4-fa42ad92f52a',
    'system.phaseName': 'Job',
    'system.phaseDisplayName': 'Job',
    'system.phaseAttempt': attempt,
    'system.jobName': '__default',
    'system.jobDisplayName': 'Job',
    'system.jobAttempt': attempt,
    'system.jobIdentifier': 'Job.__default',
    'system.jobPositionInPhase': '1',
    'system.totalJobsInPhase': '1',
    'system.parallelExecutionType': 'None',
    'system.jobParallelismTag': 'Private',
    'system.isScheduled': 'False',
    'system.enableAccessToken': 'SecretVariable',
    'system.restrictSecrets': options.forkPullRequest === true ? 'True' : 'False',
  };
}

function buildVariables(identity: JobIdentity, options: RunOptions): Values {
  const fork = options.forkPullRequest === true;
  return {
    'build.buildId': identity.buildId,
    'build.buildNumber': '20260301.1',
    'build.buildUri': `vstfs:///Build/Build/${identity.buildId}`,
    'build.containerId': '9001',
    'build.definitionName': 'Fabrikam-CI',
    'build.definitionVersion': '3',
    'build.queuedBy': requester,
    'build.queuedById': requesterId,
    'build.reason': fork ? 'PullRequest' : 'Manual',
    'build.requestedFor': requester,
    'build.requestedForId': requesterId,
    'build.requestedForEmail': 'build@contoso.example',
    'build.repository.id': repositoryId,
    'build.repository.name': 'fabrikam-web',
    'build.repository.provider': 'TfsGit',
    'build.repository.uri': 'https://dev.azure.com/contoso/Fabrikam/_git/fabrikam-web',
    'build.repository.clean': 'False',
    'build.repository.git.submodulecheckout': 'False',
    'build.sourceBranch': fork ? 'refs/pull/5/merge' : 'refs/heads/main',
    'build.sourceBranchName': fork ? 'merge' : 'main',
    'build.sourceVersion': '0a1b2c3d4e5f60718293a4b5c6d7e8f901234567',
    'build.sourceVersionAuthor': 'contoso',
    'build.sourceVersionMessage': 'Deploys the web site',
  };
}

function releaseVariables(identity: JobIdentity): Values {
  return {
    'release.releaseId': identity.buildId,
    'release.releaseName': 'Release-1',
    'release.releaseUri': `vstfs:///ReleaseManagement/Release/${identity.buildId}`,
    'release.definitionId': '12',
    'release.definitionName': 'Fabrikam-CD',
    'release.environmentName': 'production',
    'release.attemptNumber': String(identity.attempt),
    'release.requestedFor': requester,
    'release.requestedForId': requesterId,
  };
}

const pullRequestVariables: Values = {
  'system.pullRequest.pullRequestId': '5',
  'system.pullRequest.isFork': 'True',
  'system.pullRequest.sourceBranch': 'refs/heads/patch-1',
  'system.pullRequest.targetBranch': 'refs/heads/main',
};

/** What the job message brings. Without secrets. */
export function messageVariables(identity: JobIdentity, server: JobServer, options: RunOptions): Values {
  return {
    ...systemVariables(identity, server, options),
    ...(identity.hub === 'build' ? buildVariables(identity, options) : releaseVariables(identity)),
    ...(options.forkPullRequest === true ? pullRequestVariables : {}),
  };
}

/** What the agent adds of its own. Without secrets. */
export function agentVariables(folders: AgentFolders, lookupId: string, options: RunOptions): Values {
  const values: Record<string, string> = {
    'agent.id': '7',
    'agent.name': 'contoso-agent-1',
    'agent.machineName': 'contoso-host-1',
    'agent.version': '4.273.0',
    'agent.os': 'Linux',
    'agent.osArchitecture': process.arch === 'arm64' ? 'ARM64' : 'X64',
    'agent.isSelfHosted': '1',
    'agent.cloudId': '',
    'agent.jobName': 'Job',
    'agent.jobStatus': 'Succeeded',
    'agent.homeDirectory': folders.root,
    'agent.rootDirectory': folders.work,
    'agent.workFolder': folders.work,
    'agent.tempDirectory': folders.temp,
    'agent.toolsDirectory': folders.tools,
    'agent.buildDirectory': folders.job,
    'agent.workingDirectory': folders.work,
    'system.workFolder': folders.work,
    'system.defaultWorkingDirectory': folders.sources,
    'system.artifactsDirectory': join(folders.job, 'a'),
    'pipeline.workspace': folders.job,
    'common.testResultsDirectory': join(folders.job, 'TestResults'),
    'build.sourcesDirectory': folders.sources,
    'build.repository.localPath': folders.sources,
    'build.artifactStagingDirectory': join(folders.job, 'a'),
    'build.stagingDirectory': join(folders.job, 'a'),
    'build.binariesDirectory': join(folders.job, 'b'),
    GIT_TERMINAL_PROMPT: '0',
    VSTS_PROCESS_LOOKUP_ID: lookupId,
  };
  const proxy = options.proxy ?? options.server.proxy;
  if (proxy !== false) {
    values['agent.proxyurl'] = proxy.url;
    values['agent.proxyusername'] = proxy.username;
    values['agent.useBasicAuthForProxy'] = 'False';
  }
  const caFile = options.caInfo ?? options.server.caFile;
  if (caFile !== false) {
    values['agent.cainfo'] = caFile;
  }
  if (options.container === true) {
    values['agent.containerId'] = 'c0ffee000000';
    values['agent.containerMapping'] = '{}';
  }
  return values;
}

// A commit message or a display name must not bring commands into whoever prints it.
const foreignTexts = new Set(
  `build.sourceversionmessage build.definitionname build.sourceversionauthor system.sourceversionmessage
   system.definitionname system.jobdisplayname system.phasedisplayname system.stagedisplayname release.definitionname
   release.environmentname agent.machinename agent.name`.split(/\s+/),
);

/** Takes the command prefix out of variables that hold other people's text. */
export function withoutCommands(name: string, value: string): string {
  return foreignTexts.has(name.toLowerCase()) ? value.replace(/##vso/gi, '**vso') : value;
}
