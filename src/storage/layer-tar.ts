import { TsmanError } from '../base/error.ts';
import type { FsAgent } from '../helper/fs-agent.ts';
import type { FsAttributes, FsNodeType } from '../helper/fs-protocol.ts';
import { cleanArchivePath, quoteBytes } from '../oci/byte-path.ts';
import { TarReader } from '../oci/tar.ts';
import type { TarHandler, TarReadEntry } from '../oci/tar-entry.ts';

const WHITEOUT_PREFIX = '.wh.';
const OPAQUE_MARKER = '.wh..wh..opq';
/** AUFS's own bookkeeping, in old images (`.wh..wh.plnk`, `.wh..wh.aufs`); means nothing here. */
const AUFS_PREFIX = '.wh..wh.';

/** What a layer may be at most; far above real ones. */
export const LAYER_LIMITS = {
  entries: 5_000_000,
  pathBytes: 32_768,
  /** Bytes of content that entries declare, holes included: 16 TiB. */
  declaredBytes: 2 ** 44,
} as const;

const NODE_TYPES: Readonly<Record<string, FsNodeType>> = { 3: 'character', 4: 'block', 6: 'fifo' };

/** Turns a layer's tar archive (image-spec layer.md) into operations of a rootfs agent. */
export class LayerUnpacker implements TarHandler {
  readonly #agent: FsAgent;
  readonly #reader: TarReader;
  #entries = 0;
  #declaredBytes = 0;
  #isFile = false;

  constructor(agent: FsAgent) {
    this.#agent = agent;
    this.#reader = new TarReader(this);
  }

  write(chunk: Buffer): void {
    this.#reader.write(chunk);
  }

  end(): void {
    this.#reader.end();
  }

  entry(entry: TarReadEntry): void {
    this.#isFile = false;
    this.#checkLimits(entry);
    const path = cleanArchivePath(entry.name);
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    if (name.startsWith(WHITEOUT_PREFIX)) this.#whiteout(path.slice(0, Math.max(slash, 0)), name);
    else this.#make(path, entry);
  }

  data(offset: number, chunk: Buffer): void {
    if (this.#isFile) this.#agent.data(offset, chunk);
  }

  #checkLimits(entry: TarReadEntry): void {
    this.#entries++;
    this.#declaredBytes += entry.sizeBytes;
    if (this.#entries > LAYER_LIMITS.entries)
      throw new TsmanError(`layer has more than ${LAYER_LIMITS.entries} entries`);
    if (this.#declaredBytes > LAYER_LIMITS.declaredBytes)
      throw new TsmanError(
        `layer declares more than ${LAYER_LIMITS.declaredBytes} bytes of content`,
      );
    if (entry.name.length > LAYER_LIMITS.pathBytes)
      throw new TsmanError(
        `layer has a path of ${entry.name.length} bytes, the limit is ${LAYER_LIMITS.pathBytes}`,
      );
    if (entry.name.includes('\0') || entry.linkName.includes('\0'))
      throw new TsmanError(`path ${quoteBytes(entry.name)} in tar archive holds a NUL byte`);
  }

  #whiteout(parent: string, name: string): void {
    if (name === OPAQUE_MARKER) this.#agent.opaque(bytes(parent));
    else if (!name.startsWith(AUFS_PREFIX)) {
      const hidden = name.slice(WHITEOUT_PREFIX.length);
      if (hidden === '' || hidden === '.' || hidden === '..')
        throw new TsmanError(`invalid whiteout ${quoteBytes(name)} in layer`);
      this.#agent.whiteout(bytes(parent === '' ? hidden : `${parent}/${hidden}`));
    }
  }

  #make(path: string, entry: TarReadEntry): void {
    const { typeFlag } = entry;
    const target = bytes(path);
    if (typeFlag === '5') this.#agent.mkdir(target, attributesOf(entry));
    else if (path === '') throw new TsmanError('layer has an entry for / that is no directory');
    else if (typeFlag === '0') {
      this.#isFile = true;
      this.#agent.file(target, attributesOf(entry), entry.sizeBytes);
    } else if (typeFlag === '1') this.#hardLink(path, entry.linkName);
    else if (typeFlag === '2')
      this.#agent.symlink(target, bytes(entry.linkName), attributesOf(entry));
    else this.#node(target, entry);
  }

  #hardLink(path: string, linkName: string): void {
    const target = cleanArchivePath(linkName);
    // Podman and Docker refuse it too: a whiteout is no file that could have two names.
    if (target.slice(target.lastIndexOf('/') + 1).startsWith(WHITEOUT_PREFIX))
      throw new TsmanError(`hard link ${quoteBytes(path)} to a whiteout in layer`);
    this.#agent.hardLink(bytes(path), bytes(target));
  }

  #node(path: Buffer, entry: TarReadEntry): void {
    const type = NODE_TYPES[entry.typeFlag];
    if (type === undefined)
      throw new TsmanError(
        `${quoteBytes(entry.name)} in tar archive has unknown type ${quoteBytes(entry.typeFlag)}`,
      );
    const device = { major: entry.deviceMajor, minor: entry.deviceMinor };
    this.#agent.node(path, type, device, attributesOf(entry));
  }
}

function attributesOf(entry: TarReadEntry): FsAttributes {
  const { uid, gid, mode, mtime, xattrs } = entry;
  // Linux ids have 32 bits, and the last one means "none".
  if (uid < 0 || gid < 0 || uid >= 0xffffffff || gid >= 0xffffffff)
    throw new TsmanError(
      `${quoteBytes(entry.name)} in tar archive has impossible owner ${uid}:${gid}`,
    );
  return { owner: { uid, gid }, mode, mtime, xattrs };
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}
