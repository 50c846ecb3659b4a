import { createReadStream, openSync } from 'node:fs';
import { TsmanError } from '../base/error.ts';
import type { Digest } from '../oci/digest.ts';
import { type Descriptor, type ImageConfig, MEDIA_TYPE } from '../oci/image.ts';
import { BlobWriter } from '../storage/blobs.ts';
import { type Compression, decompress, detected } from '../storage/decompress.ts';
import { collectIfLeft } from '../storage/garbage.ts';
import { putImage } from '../storage/image-put.ts';
import type { ImageRecord } from '../storage/images.ts';
import { unpackNewLayer } from '../storage/layer-unpack.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { withIngest } from '../storage/leases.ts';
import { applyChanges } from './changes.ts';
import { manifestFor } from './new-manifest.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface ImportOptions {
  /** Full references. */
  readonly names: readonly string[];
  readonly changes: readonly string[];
  readonly message: string;
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
}

/** Makes an image with one layer from a tar archive of a root file system. */
export async function importImage(
  target: LayerTarget,
  body: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImageRecord> {
  // First, so that a mistake in --change does not cost the copy.
  const defaults = applyChanges({}, options.changes);
  try {
    return await withIngest(target.storage, async () => {
      const layer = await storeLayer(target, body);
      const created = new Date().toISOString();
      const config: ImageConfig = {
        created,
        architecture: options.architecture ?? ARCHITECTURES[process.arch] ?? process.arch,
        os: options.os ?? 'linux',
        ...(options.variant === undefined ? {} : { variant: options.variant }),
        config: defaults,
        rootfs: { type: 'layers', diff_ids: [layer.diffID] },
        history: [
          { created, created_by: '/bin/sh -c #(nop) ADD file in /', comment: options.message },
        ],
      };
      return putImage(target.storage, {
        ...manifestFor(config, [layer.descriptor]),
        names: options.names,
      });
    });
  } finally {
    await collectIfLeft(target);
  }
}

const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: MEDIA_TYPE.ociLayer,
  gzip: MEDIA_TYPE.ociLayerGzip,
  zstd: MEDIA_TYPE.ociLayerZstd,
  // OCI knows no such layers: stored uncompressed.
  xz: MEDIA_TYPE.ociLayer,
  bzip2: MEDIA_TYPE.ociLayer,
};

/** One pass: the archive is written as a blob, hashed both ways, and unpacked meanwhile. */
async function storeLayer(
  target: LayerTarget,
  input: AsyncIterable<Uint8Array>,
): Promise<{ descriptor: Descriptor; diffID: Digest }> {
  const { compression, body } = await detected(input);
  const mediaType = LAYER_TYPES[compression];
  const writer = new BlobWriter(target.storage);
  try {
    const isKept = mediaType !== MEDIA_TYPE.ociLayer || compression === 'none';
    const plain = isKept
      ? decompress(copyTo(writer, body), compression)
      : copyTo(writer, decompress(body, compression));
    let digest: Digest | undefined;
    const diffID = await unpackNewLayer(target, plain, async () => {
      if (writer.sizeBytes === 0) throw new TsmanError('the archive is empty');
      digest = await writer.seal();
    });
    writer.commit();
    if (digest === undefined) throw new Error('the archive was not read to its end');
    return { descriptor: { mediaType, digest, size: writer.sizeBytes }, diffID };
  } finally {
    writer.abort();
  }
}

async function* copyTo(writer: BlobWriter, body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  for await (const chunk of body) {
    writer.write(chunk);
    yield chunk;
  }
}

/** The bytes at a path or an http(s) URL. */
export async function openImport(source: string): Promise<AsyncIterable<Uint8Array>> {
  if (!/^https?:\/\//.test(source)) return openFile(source);
  const answer = await fetch(source).catch((cause: unknown) => {
    throw new TsmanError(`get ${source}`, { cause });
  });
  if (!answer.ok || answer.body === null)
    throw new TsmanError(`get ${source}: ${answer.status} ${answer.statusText}`);
  return answer.body;
}

/** Opened at once: the error of a stream that nobody reads yet would end the process. */
function openFile(path: string): AsyncIterable<Uint8Array> {
  try {
    return createReadStream(path, { fd: openSync(path, 'r'), highWaterMark: 1 << 20 });
  } catch (cause) {
    throw new TsmanError(`import ${path}`, { cause });
  }
}
