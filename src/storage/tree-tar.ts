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
import { headerOf, type TarSource } from './tree-header.ts';

export type { TarSource } from './tree-header.ts';

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
