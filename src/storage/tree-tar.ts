import { constants } from 'node:fs';
import type { FsAgent, FsData } from '../helper/fs-agent.ts';
import type { FsEntry } from '../helper/fs-protocol.ts';
import { TAR_END, type TarWriteEntry, tarEntryHeader, tarPadding } from '../oci/tar-write.ts';
import {
  begun,
  exactContent,
  exactParts,
  type StoredContent,
  sparseContent,
  unlessGone,
} from './tree-content.ts';

/** What goes into an archive: a file of some tree, or what hides something in the layers below. */
export type TarSource =
  | {
      readonly kind: 'entry';
      /** In the archive; latin1 text, one character for each byte. */
      readonly path: string;
      readonly entry: FsEntry;
      /** The directory below the agent's in which the file is, under the same path; '' = the agent's. */
      readonly tree: string;
    }
  | { readonly kind: 'whiteout' | 'opaque'; readonly path: string };

const TYPE_FLAGS: Readonly<Record<number, string>> = {
  [constants.S_IFREG]: '0',
  [constants.S_IFLNK]: '2',
  [constants.S_IFCHR]: '3',
  [constants.S_IFBLK]: '4',
  [constants.S_IFDIR]: '5',
  [constants.S_IFIFO]: '6',
};
/** The overlay's own notes, and a label that belongs to this machine. */
const PRIVATE_XATTR =
  /^((user|trusted)\.(overlay|fuseoverlayfs)\.|user\.containers\.|security\.selinux$)/;

const CHUNK_BYTES = 256 << 10;
/** Reads of this many files are under way at once; without, each file would cost a round trip. */
const BATCH_FILES = 32;
const READ_AHEAD_BYTES = 64 << 10;
const SPARSE_MIN_HOLE_BYTES = 64 << 10;

export interface TreeTarOptions {
  /** Holes are kept as holes (GNU's format 1.0 in pax), else written as zeros. */
  readonly sparse: boolean;
}

interface Job {
  readonly source: TarSource;
  readonly header: TarWriteEntry | undefined;
  readonly content: Promise<readonly FsData[]> | undefined;
}

/** The archive of these files, as a layer has it, in pieces that may be kept; contents come from the agent. */
export async function* treeTar(
  agent: FsAgent,
  sources: AsyncIterable<TarSource> | Iterable<TarSource>,
  options: TreeTarOptions,
): AsyncGenerator<Buffer> {
  const gathered = new Gathered();
  const firstNames = new Map<string, string>();
  for await (const job of ahead(agent, firstNames, sources, options)) {
    const stored = await storedContent(agent, job, options);
    // A socket is nothing an archive could keep, and a vanished file is gone.
    if (stored === undefined) continue;
    const { header, content } = stored;
    gathered.add(tarEntryHeader(header));
    if ('length' in content)
      for (const bytes of exactParts(content, header.sizeBytes)) gathered.add(bytes);
    else
      for await (const bytes of exactContent(content, header.sizeBytes)) {
        gathered.add(bytes);
        if (gathered.isFull) yield* gathered.take();
      }
    gathered.add(tarPadding(header.sizeBytes));
    if (gathered.isFull) yield* gathered.take();
  }
  gathered.add(TAR_END);
  yield* gathered.take();
}

/** What is written for a file: with holes its header is another one. */
async function storedContent(
  agent: FsAgent,
  { source, header, content }: Job,
  options: TreeTarOptions,
): Promise<StoredContent | undefined> {
  if (header === undefined) return undefined;
  if (header.sizeBytes === 0 || source.kind !== 'entry') return { header, content: [] };
  if (isSparse(source.entry, header, options))
    return await sparseContent(agent, filePath(source), header);
  const parts =
    content === undefined
      ? await begun(agent.startRead(filePath(source), 0, header.sizeBytes))
      : await unlessGone(content);
  return parts === undefined ? undefined : { header, content: parts };
}

/** Headers, and for small files the content already asked for, one batch ahead of who takes them. */
async function* ahead(
  agent: FsAgent,
  firstNames: Map<string, string>,
  sources: AsyncIterable<TarSource> | Iterable<TarSource>,
  options: TreeTarOptions,
): AsyncGenerator<Job> {
  let ready: Job[] = [];
  let batch: TarSource[] = [];
  const start = (source: TarSource): Job => {
    const header = headerOf(source, firstNames);
    const isSmall =
      source.kind === 'entry' &&
      header !== undefined &&
      header.sizeBytes > 0 &&
      header.sizeBytes <= READ_AHEAD_BYTES &&
      !isSparse(source.entry, header, options);
    const content = isSmall ? agent.readSmall(filePath(source), header.sizeBytes) : undefined;
    // Awaited in its turn; until then a failure must not count as unhandled.
    content?.catch(() => undefined);
    return { source, header, content };
  };
  for await (const source of sources) {
    batch.push(source);
    if (batch.length < BATCH_FILES) continue;
    const next = batch.map(start);
    batch = [];
    yield* ready;
    ready = next;
  }
  const last = batch.map(start);
  yield* ready;
  yield* last;
}

function filePath({ tree, path }: { readonly tree: string; readonly path: string }): Buffer {
  return Buffer.from(tree === '' ? path : `${tree}/${path}`, 'latin1');
}

function isSparse(entry: FsEntry, header: TarWriteEntry, { sparse }: TreeTarOptions): boolean {
  return sparse && header.sizeBytes - 512 * entry.blocks > SPARSE_MIN_HOLE_BYTES;
}

const NO_FILE = {
  mode: 0,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  linkName: '',
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: [],
  typeFlag: '0',
};

/** image-spec layer.md, "Whiteouts" and "Opaque Whiteout". */
function markHeader(kind: 'whiteout' | 'opaque', path: string): TarWriteEntry {
  if (kind === 'opaque') return { ...NO_FILE, name: `${path}/.wh..wh..opq` };
  const name = path.lastIndexOf('/') + 1;
  return { ...NO_FILE, name: `${path.slice(0, name)}.wh.${path.slice(name)}` };
}

function headerOf(source: TarSource, firstNames: Map<string, string>): TarWriteEntry | undefined {
  if (source.kind !== 'entry') return markHeader(source.kind, source.path);
  const { entry, path, tree } = source;
  const type = TYPE_FLAGS[entry.mode & constants.S_IFMT];
  if (type === undefined) return undefined;
  const inode = entry.linkCount > 1 && type !== '5' ? `${tree} ${entry.inode}` : undefined;
  const first = inode === undefined ? undefined : firstNames.get(inode);
  if (inode !== undefined && first === undefined) firstNames.set(inode, path);
  return {
    name: type === '5' ? `${path}/` : path,
    typeFlag: first === undefined ? type : '1',
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    sizeBytes: type === '0' && first === undefined ? entry.sizeBytes : 0,
    // Whole seconds, as Docker and Podman: a fraction would cost each file a pax header of 1 KiB.
    mtime: { seconds: entry.mtime.seconds, nanoseconds: 0 },
    linkName: first ?? (type === '2' ? entry.linkTarget.toString('latin1') : ''),
    deviceMajor: entry.deviceMajor,
    deviceMinor: entry.deviceMinor,
    xattrs: first === undefined ? ownXattrs(entry) : [],
  };
}

function ownXattrs({ xattrs }: FsEntry): TarWriteEntry['xattrs'] {
  if (xattrs.length === 0) return NO_FILE.xattrs;
  return xattrs
    .map(({ name, value }) => ({ name: name.toString('latin1' as 'utf8'), value }))
    .filter(({ name }) => !PRIVATE_XATTR.test(name));
}

/** Joins small pieces, so that whoever hashes, compresses and parses them has few calls. */
class Gathered {
  #parts: Buffer[] = [];
  #bytes = 0;

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  get isFull(): boolean {
    return this.#bytes >= CHUNK_BYTES;
  }

  *take(): Generator<Buffer> {
    if (this.#bytes > 0) yield Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
  }
}
