import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import type { Handler } from './session.ts';
import { writeTar } from './tar.ts';

/** An image with one layer of 3 MB. */
export interface Content {
  readonly layer: Buffer;
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly manifest: Buffer;
}

const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function makeContent(directory: string): Promise<Content> {
  const tar = join(directory, 'layer.tar');
  await writeTar(tar, [{ name: 'file', content: randomBytes(3_000_000) }]);
  const layer = readFileSync(tar);
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture,
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: { mediaType: MEDIA_TYPE.ociConfig, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: MEDIA_TYPE.ociLayer, digest: digestOf(layer), size: layer.length }],
    }),
  );
  return {
    layer,
    blobs: new Map([layer, config].map((bytes) => [digestOf(bytes), bytes])),
    manifest,
  };
}

/** Serves the image; of the layer's first answer only the first 2 MB, and then `stall`. */
export function serve(
  { layer, blobs, manifest }: Content,
  ranges: (string | undefined)[],
  stall: (cut: () => void) => void,
): Handler {
  return (request, response) => {
    if (request.url?.includes('/manifests/')) {
      response.setHeader('content-type', MEDIA_TYPE.ociManifest).end(manifest);
      return;
    }
    const bytes = blobs.get(request.url?.split('/').at(-1) ?? '') ?? Buffer.alloc(0);
    if (bytes !== layer) {
      response.end(bytes);
      return;
    }
    ranges.push(request.headers.range);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers =
      start === 0 ? {} : { 'content-range': `bytes ${start}-${layer.length - 1}/${layer.length}` };
    response.writeHead(start === 0 ? 200 : 206, {
      ...headers,
      'content-length': layer.length - start,
    });
    if (ranges.length > 1) response.end(layer.subarray(start));
    else {
      response.write(layer.subarray(0, 2_000_000));
      stall(() => response.destroy());
    }
  };
}
