import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { basename } from 'node:path';
import { constants, createGzip } from 'node:zlib';
import type { Digest } from '../oci/digest.ts';
import { type Descriptor, MEDIA_TYPE } from '../oci/image.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import { BlobWriter } from './blobs.ts';
import { recordLayerSize } from './layer-sizes.ts';
import { publish, unpackInto } from './layer-unpack.ts';
import { discard, type LayerTarget, makePartial } from './partials.ts';

/** A layer that was made here. */
export interface MadeLayer {
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
}

const CHUNK_BYTES = 256 << 10;

/**
 * Stores an archive as a new layer in one pass: hashed (the diffID), compressed on another thread,
 * hashed again and written as a blob, and unpacked meanwhile. To be called inside withIngest.
 */
export async function makeLayer(
  target: LayerTarget,
  tar: AsyncIterable<Buffer>,
): Promise<MadeLayer> {
  const { storage, userns } = target;
  const partial = makePartial(storage);
  const agent = openFsAgent({ userns, directories: storage.directories }, partial);
  const blob = new BlobWriter(storage);
  try {
    const packed = new PackedTar(blob);
    await unpackInto(agent, packed.pass(tar));
    await Promise.all([agent.sync(), packed.end()]);
    const digest = await blob.seal();
    await agent.close();
    const diffID = packed.diffID();
    recordLayerSize(storage, diffID, packed.sizeBytes);
    publish(storage, partial, diffID);
    blob.commit();
    return {
      descriptor: { mediaType: MEDIA_TYPE.ociLayerGzip, digest, size: blob.sizeBytes },
      diffID,
    };
  } catch (error) {
    await agent.close({ kill: true });
    throw error;
  } finally {
    blob.abort();
    // A failure to tidy up must not hide the first one; the next sweep tries again.
    if (fs.existsSync(partial)) await discard(target, [basename(partial)]).catch(() => {});
  }
}

/** Hashes and compresses an archive on its way to somebody else. */
class PackedTar {
  sizeBytes = 0;
  readonly #hash = createHash('sha256');
  // Level 1: a layer made here is read here; `push --compression-format` packs tighter.
  readonly #gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: CHUNK_BYTES });
  readonly #written: Promise<void>;

  constructor(blob: BlobWriter) {
    const copy = async (): Promise<void> => {
      for await (const chunk of this.#gzip as AsyncIterable<Buffer>) blob.write(chunk);
    };
    this.#written = copy();
    // Awaited in end(); a full disk must not count as unhandled before.
    this.#written.catch(() => this.#gzip.destroy());
  }

  async *pass(tar: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of tar) {
      this.sizeBytes += chunk.length;
      if (this.#gzip.destroyed) await this.#written;
      const hasRoom = this.#gzip.write(chunk);
      this.#hash.update(chunk);
      yield chunk;
      if (!hasRoom) await this.#roomAgain();
    }
  }

  async end(): Promise<void> {
    this.#gzip.end();
    await this.#written;
  }

  diffID(): Digest {
    return `sha256:${this.#hash.digest('hex')}`;
  }

  async #roomAgain(): Promise<void> {
    if (!this.#gzip.writableNeedDrain) return;
    const drained = new Promise<void>((resolve) => this.#gzip.once('drain', resolve));
    await Promise.race([drained, this.#written]);
  }
}
