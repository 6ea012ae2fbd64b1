import type { IssuedSecret, JobRegistration, JobServer, SeenRequest } from '../../agent/job-server.ts';

/** A job server that keeps what it is told, and speaks to nobody. */
export class FakeJobServer implements JobServer {
  readonly collectionUri = 'https://dev.azure.com/contoso/';
  readonly proxy = { url: 'http://127.0.0.1:9', username: 'proxy-user', password: 'proxy-pass-8e1f' };
  readonly caFile = '/etc/contoso/ca.pem';
  readonly accessToken = 'job-token-5f1c9a7e2b';
  readonly jobs: JobRegistration[] = [];
  readonly ended: string[] = [];
  readonly stored: { recordId: string; type: string; name: string; text: string; at: number }[] = [];
  readonly issued: IssuedSecret[] = [];
  readonly refused: string[] = [];

  registerJob(job: JobRegistration): { accessToken: string; oidcRequestUri: string } {
    this.jobs.push(job);
    const path = `${job.projectId}/_apis/distributedtask/hubs/${job.hub}/plans/${job.planId}/jobs/${job.jobId}/oidctoken`;
    return { accessToken: this.accessToken, oidcRequestUri: `${this.collectionUri}${path}` };
  }

  endJob(jobId: string): void {
    this.ended.push(jobId);
  }

  storeAttachment(_planId: string, recordId: string, type: string, name: string, content: Buffer): void {
    this.stored.push({ recordId, type, name, text: content.toString('utf8'), at: performance.now() });
  }

  issuedSecrets(): readonly IssuedSecret[] {
    return this.issued;
  }

  seenRequests(): readonly SeenRequest[] {
    return [];
  }

  refusedHosts(): readonly string[] {
    return this.refused;
  }
}
