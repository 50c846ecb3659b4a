import { createHash, type Hash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { ContainerDefaults, Descriptor } from '../../src/oci/image.ts';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import { runProgram } from './programs.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

export interface LayerSource {
  /** An uncompressed tar archive. */
  readonly tar: string;
  readonly compression: Compression;
}

export interface ImageSource {
  readonly name: string;
  readonly layers: readonly LayerSource[];
  readonly config: ContainerDefaults;
}

const LAYER_TYPE = {
  none: MEDIA_TYPE.ociLayer,
  gzip: MEDIA_TYPE.ociLayerGzip,
  zstd: MEDIA_TYPE.ociLayerZstd,
};
const ARCHITECTURE: Partial<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Writes an OCI image layout (image-spec image-layout.md) with one image, by hand: tsman must read what others write. */
export async function writeLayout(directory: string, image: ImageSource): Promise<void> {
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  const layers: Descriptor[] = [];
  const diffIDs: string[] = [];
  for (const source of image.layers) {
    const { descriptor, diffID } = await addLayer(directory, source);
    layers.push(descriptor);
    diffIDs.push(diffID);
  }
  const config = addJson(directory, MEDIA_TYPE.ociConfig, {
    created: '2024-01-01T00:00:00Z',
    architecture: ARCHITECTURE[process.arch] ?? process.arch,
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: diffIDs },
  });
  const manifest = addJson(directory, MEDIA_TYPE.ociManifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config,
    layers,
  });
  const annotations = { 'org.opencontainers.image.ref.name': image.name };
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociIndex,
    manifests: [{ ...manifest, annotations }],
  };
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

/** Packs a layout as the OCI archive that `load` takes. */
export async function packLayout(directory: string, archive: string): Promise<void> {
  await runProgram('tar', ['-cf', archive, '-C', directory, 'oci-layout', 'index.json', 'blobs']);
}

async function addLayer(
  directory: string,
  { tar, compression }: LayerSource,
): Promise<{ descriptor: Descriptor; diffID: string }> {
  const partial = join(directory, 'blobs/partial');
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  await pipeline(
    createReadStream(tar),
    hashing(plain),
    compressor(compression),
    hashing(packed),
    createWriteStream(partial),
  );
  const hex = packed.digest('hex');
  renameSync(partial, join(directory, 'blobs/sha256', hex));
  const { size } = statSync(join(directory, 'blobs/sha256', hex));
  return {
    descriptor: { mediaType: LAYER_TYPE[compression], digest: `sha256:${hex}`, size },
    diffID: `sha256:${plain.digest('hex')}`,
  };
}

function compressor(compression: Compression): NodeJS.ReadWriteStream {
  if (compression === 'gzip') return createGzip({ level: 1 });
  return compression === 'zstd' ? createZstdCompress() : new PassThrough();
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

function addJson(directory: string, mediaType: string, value: object): Descriptor {
  const bytes = Buffer.from(JSON.stringify(value));
  const hex = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(directory, 'blobs/sha256', hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}
