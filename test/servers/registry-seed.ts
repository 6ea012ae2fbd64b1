import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Answer } from './call.ts';
import type { Upstream } from './upstream.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** Pushes a one-layer OCI image into a repository, with a token that may push there. Throws when it is refused. */
export async function seedImage(
  upstream: Upstream,
  target: { readonly host: string; readonly repository: string; readonly tag: string; readonly token: string },
): Promise<void> {
  const send = (method: string, path: string, body = Buffer.alloc(0), contentType?: string): Promise<Answer> =>
    upstream.send({
      method,
      target: path,
      body,
      headers: {
        host: target.host,
        authorization: `Bearer ${target.token}`,
        ...(contentType ? { 'content-type': contentType } : {}),
      },
    });
  // A tar archive without entries: two blocks of zeros.
  const archive = Buffer.alloc(1024);
  const layer = gzipSync(archive);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Labels: { repository: target.repository } },
      rootfs: { type: 'layers', diff_ids: [digest(archive)] },
      history: [{ created_by: 'test image' }],
    }),
  );
  const root = `/v2/${target.repository}`;
  for (const blob of [layer, config]) {
    const start = expectStatus(await send('POST', `${root}/blobs/uploads/`), 202);
    const location = new URL(String(start.headers?.['location'] ?? ''), `http://${target.host}`);
    location.searchParams.set('digest', digest(blob));
    const path = `${location.pathname}${location.search}`;
    expectStatus(await send('PUT', path, blob, 'application/octet-stream'), 201);
  }
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    }),
  );
  expectStatus(await send('PUT', `${root}/manifests/${target.tag}`, manifest, manifestType), 201);
}

function descriptor(mediaType: string, content: Buffer): Record<string, unknown> {
  return { mediaType, digest: digest(content), size: content.length };
}

function digest(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`seeding the registry: ${answer.status} instead of ${status}: ${answer.body?.toString('utf8')}`);
}
