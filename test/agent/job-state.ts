import type { Endpoint } from './endpoints.ts';
import type { JobLog } from './job-log.ts';
import type { PathMap } from './path-map.ts';
import type { SecretRegistry } from './secret-registry.ts';
import type { UploadQueue } from './upload-queue.ts';
import type { VariableStore } from './variable-store.ts';

/** Something that a command published besides variables and attachments; unmasked, like them. */
export interface Published {
  /** Such as `build.addbuildtag`, `artifact.upload`. */
  readonly kind: string;
  readonly name: string;
  readonly content: string | Buffer;
}

/** What the steps of a job share. */
export interface JobState {
  readonly hostType: 'build' | 'release';
  readonly variables: VariableStore;
  readonly endpoints: readonly Endpoint[];
  /** Folders in the order of their `prependpath` commands. */
  readonly prependPath: string[];
  readonly secrets: SecretRegistry;
  readonly log: JobLog;
  readonly uploads: UploadQueue;
  readonly published: Published[];
  /** What an agent tolerates and a task should not do. */
  readonly defects: string[];
  readonly paths: PathMap;
}
