import { readFileSync } from 'node:fs';
import type { JobServer } from './job-server.ts';

/** A file that a step attached, as it was when the agent came to upload it. */
export interface Attachment {
  /** Reference name of the step. */
  readonly step: string;
  readonly stage: string;
  readonly recordId: string;
  readonly type: string;
  readonly name: string;
  readonly content: Buffer;
}

/** An attachment whose file was gone when the agent came to upload it: no error reaches the user. */
export type LostAttachment = Omit<Attachment, 'content'>;

interface Queued {
  readonly entry: LostAttachment;
  readonly path: string;
  readonly queuedAt: number;
}

const pollMilliseconds = 1000;
const filesARound = 11;

/** The agent's upload queue: a file is read at a poll at least a second later, or at the end of the job. */
export class UploadQueue {
  readonly #server: JobServer;
  readonly #planId: string;
  readonly #queue: Queued[] = [];
  readonly #stored = new Map<string, Attachment>();
  readonly lost: LostAttachment[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(server: JobServer, planId: string) {
    this.#server = server;
    this.#planId = planId;
    this.#timer = setInterval(() => this.#poll(), pollMilliseconds).unref();
  }

  add(entry: LostAttachment, path: string): void {
    this.#queue.push({ entry, path, queuedAt: performance.now() });
  }

  /** Uploads whatever is left, and polls no more. */
  drain(): readonly Attachment[] {
    clearInterval(this.#timer);
    for (const queued of this.#queue.splice(0)) {
      this.#upload(queued);
    }
    return [...this.#stored.values()];
  }

  #poll(): void {
    const due = performance.now() - pollMilliseconds;
    const ready = this.#queue.filter((queued) => queued.queuedAt <= due).slice(0, filesARound);
    for (const queued of ready) {
      this.#queue.splice(this.#queue.indexOf(queued), 1);
      this.#upload(queued);
    }
  }

  #upload({ entry, path }: Queued): void {
    let content: Buffer;
    try {
      content = readFileSync(path);
    } catch {
      this.lost.push(entry);
      return;
    }
    // One route for one record, type and name: the last upload wins.
    this.#stored.set(JSON.stringify([entry.recordId, entry.type, entry.name]), { ...entry, content });
    this.#server.storeAttachment(this.#planId, entry.recordId, entry.type, entry.name, content);
  }
}
