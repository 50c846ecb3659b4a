import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { hasCode, TsmanError } from '../base/error.ts';
import { nodeCrypto } from '../base/late-modules.ts';
import type { FsAgent } from '../helper/fs-agent.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import { recordLayerSize } from './layer-sizes.ts';
import { LayerUnpacker } from './layer-tar.ts';
import { discard, type LayerTarget, layersDirectory, makePartial } from './partials.ts';
import type { Storage } from './storage.ts';

/*
 * From a layer's archive to its unpacked tree: aside first, named once it is what it should be.
 */

/**
 * Unpacks an archive that nobody has described yet, and gives the layer its name.
 * @param check called at the archive's end; may throw
 */
export async function unpackNewLayer(
  target: LayerTarget,
  tar: AsyncIterable<Buffer>,
  check: () => Promise<void>,
): Promise<Digest> {
  return await unpackLayer(target, tar, {}, check);
}

/** Unpacks an archive aside, and gives the layer its name; `diffID` is what it must be, if that is known. */
export async function unpackLayer(
  target: LayerTarget,
  tar: AsyncIterable<Buffer>,
  { diffID: wanted }: { readonly diffID?: Digest },
  check: () => Promise<void>,
): Promise<Digest> {
  const { storage } = target;
  const partial = makePartial(storage);
  try {
    const { diffID, sizeBytes } = await unpackAside(target, partial, {
      tar,
      diffID: wanted,
      check,
    });
    recordLayerSize(storage, diffID, sizeBytes);
    publish(storage, partial, diffID);
    return diffID;
  } finally {
    // After a failure, or when another process was first. Its own failure must not hide the first;
    // the next sweep tries again.
    if (fs.existsSync(partial)) await discard(target, [basename(partial)]).catch(() => {});
  }
}

interface Unpacking {
  /** Not compressed any more. */
  readonly tar: AsyncIterable<Buffer>;
  /** What it must be; undefined when nobody knows yet. */
  readonly diffID: Digest | undefined;
  /** Throws unless the body was what it should be; called at its end. */
  readonly check: () => Promise<void>;
}

/** Unpacks an archive into a partial directory. @returns its digest, and how many bytes it has */
export async function unpackAside(
  { storage, userns, warn }: LayerTarget,
  partial: string,
  { tar, diffID: wanted, check }: Unpacking,
): Promise<{ diffID: Digest; sizeBytes: number }> {
  const agent = openFsAgent({ userns, directories: storage.directories }, partial);
  try {
    const hash = nodeCrypto().createHash('sha256');
    let sizeBytes = 0;
    const hashed = tee(tar, (chunk) => {
      hash.update(chunk);
      sizeBytes += chunk.length;
    });
    await unpackInto(agent, hashed);
    const [{ aclsDropped }] = await Promise.all([agent.sync(), check()]);
    const diffID: Digest = `sha256:${hash.digest('hex')}`;
    if (wanted !== undefined && diffID !== wanted)
      throw new TsmanError(`layer: uncompressed content has digest ${diffID}, want ${wanted}`);
    if (aclsDropped > 0)
      warn?.(
        `layer ${digestHex(diffID).slice(0, 12)}: ${aclsDropped} access control lists could not be kept: they are broken, or name users or groups without an id here`,
      );
    await agent.close();
    return { diffID, sizeBytes };
  } catch (error) {
    await agent.close({ kill: true });
    throw error;
  }
}

/** Makes the files of an archive below the directory an agent has pinned. */
export async function unpackInto(agent: FsAgent, tar: AsyncIterable<Buffer>): Promise<void> {
  // A layer without an entry for its root.
  agent.mkdir('', { owner: { uid: 0, gid: 0 }, mode: 0o755 });
  const unpacker = new LayerUnpacker(agent);
  for await (const chunk of tar) {
    unpacker.write(chunk);
    await agent.drain();
  }
  unpacker.end();
}

/** Gives an unpacked layer its name. */
export function publish(storage: Storage, partial: string, diffID: Digest): void {
  try {
    fs.renameSync(partial, join(layersDirectory(storage), digestHex(diffID)));
  } catch (error) {
    // Another process unpacked the same layer; its tree is as good as ours.
    if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error;
  }
}

/** The same chunks, each shown to `sink` on its way. */
export async function* tee<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  sink: (chunk: T) => void,
): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    sink(chunk);
    yield chunk;
  }
}
