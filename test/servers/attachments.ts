import { randomUUID } from 'node:crypto';
import { type Answer, type Call, header, jsonAnswer } from './call.ts';
import { type Job, sameText } from './jobs.ts';
import type { LabClock } from './lab-clock.ts';
import { apiVersion, previewNeeded, serviceError, versionMissing } from './service-errors.ts';
import { organisation } from './subjects.ts';

/** One attachment of a run's timeline record. */
export interface StoredAttachment {
  readonly planId: string;
  readonly timelineId: string;
  readonly recordId: string;
  readonly type: string;
  readonly name: string;
  readonly content: Buffer;
  /** Who put it there: the agent's upload queue, or a REST call. */
  readonly source: 'agent' | 'rest';
}

/** Where an attachment stands. */
export type AttachmentKey = Omit<StoredAttachment, 'content' | 'source'>;

/** The attachments of all runs of a lab. A later one with the same key takes the place of the earlier. */
export class Attachments {
  readonly #clock: LabClock;
  readonly #stored = new Map<string, StoredAttachment>();

  constructor(clock: LabClock) {
    this.#clock = clock;
  }

  /** Stores an attachment. Returns whether the key is new. */
  store(attachment: StoredAttachment): boolean {
    const key = [attachment.planId, attachment.recordId, attachment.type, attachment.name].join('\n').toLowerCase();
    const isNew = !this.#stored.has(key);
    this.#stored.set(key, attachment);
    return isNew;
  }

  all(): readonly StoredAttachment[] {
    return [...this.#stored.values()];
  }

  /** `PUT …/attachments/{type}/{name}`: octets in, one JSON object out. agent-contract §5. */
  put(call: Call, key: AttachmentKey, job: Job): Answer {
    const version = apiVersion(call);
    if (!version) return versionMissing(call);
    if (!version.includes('-preview')) return previewNeeded(version);
    const contentType = (header(call, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
    if (contentType !== 'application/octet-stream') {
      return serviceError(
        415,
        'HttpRequestException',
        `The request entity's media type '${contentType}' is not supported for this resource.`,
      );
    }
    const isNew = this.store({ ...key, content: call.body, source: 'rest' });
    const href = `https://dev.azure.com/${organisation.name}/${job.projectId}/_apis/distributedtask/hubs/${job.hub}/plans/${key.planId}/timelines/${key.timelineId}/records/${key.recordId}/attachments/${encodeURIComponent(key.type)}/${encodeURIComponent(key.name)}`;
    return jsonAnswer(isNew ? 201 : 200, {
      _links: { self: { href } },
      type: key.type,
      name: key.name,
      createdOn: this.#clock.isoTime(),
      lastChangedOn: this.#clock.isoTime(),
      lastChangedBy: randomUUID(),
      timelineId: key.timelineId,
      recordId: key.recordId,
    });
  }

  /** `GET …/build/builds/{id}/attachments/{type}`: names and links only. */
  list(job: Job, type: string): Answer {
    const value = this.all()
      .filter((one) => sameText(one.planId, job.planId) && one.type === type)
      .map((one) => ({ _links: { self: { href: itemAddress(job, one) } }, name: one.name }));
    return jsonAnswer(200, { count: value.length, value });
  }

  /** `GET …/build/builds/{id}/{timelineId}/{recordId}/attachments/{type}/{name}`: the content. */
  item(job: Job, key: Omit<AttachmentKey, 'planId'>): Answer {
    const found = this.all().find(
      (one) =>
        sameText(one.planId, job.planId) &&
        sameText(one.timelineId, key.timelineId) &&
        sameText(one.recordId, key.recordId) &&
        one.type === key.type &&
        one.name === key.name,
    );
    if (!found) return serviceError(404, 'AttachmentNotFoundException', `The attachment ${key.name} was not found.`);
    return { status: 200, headers: { 'Content-Type': 'application/octet-stream' }, body: found.content };
  }
}

function itemAddress(job: Job, one: StoredAttachment): string {
  const type = encodeURIComponent(one.type);
  const name = encodeURIComponent(one.name);
  return `https://dev.azure.com/${organisation.name}/${job.projectId}/_apis/build/builds/${job.buildId}/${one.timelineId}/${one.recordId}/attachments/${type}/${name}`;
}
