import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { FsAgent } from '../helper/fs-agent.ts';
import type { FsEntry } from '../helper/fs-protocol.ts';
import { quoteBytes } from '../oci/byte-path.ts';
import { exactContent, exactParts } from './tree-content.ts';

/*
 * Compares two trees that were unpacked from the same archive, at one time or another: what is in one
 * and should be in the other. Both are walked side by side, so memory is flat.
 */

/** A tree: an agent that walks it, and where it is for the agent that reads files. */
export interface ComparedTree {
  readonly walker: FsAgent;
  /** Below the reader's directory. */
  readonly path: string;
}

const BATCH_FILES = 32;
const SMALL_FILE_BYTES = 64 << 10;

/** One line for each difference of `actual` from `wanted`. */
export async function* treeDifferences(
  reader: FsAgent,
  actual: ComparedTree,
  wanted: ComparedTree,
): AsyncGenerator<string> {
  const contents = new Contents(reader, actual.path, wanted.path);
  const links = new Links();
  for await (const { path, here, there } of sideBySide(actual.walker, wanted.walker)) {
    const name = path === '' ? '/' : quoteBytes(path);
    if (here === undefined) yield `${name} is missing`;
    else if (there === undefined) yield `${name} is not in the layer's blob`;
    else {
      const difference = attributeDifference(here, there) ?? links.difference(path, here, there);
      if (difference !== undefined) yield `${name} has ${difference}`;
      else if (hasContent(here) && links.isFirst(path, there)) yield* contents.add(path, here);
    }
  }
  yield* contents.take();
}

interface Pair {
  /** latin1 */
  readonly path: string;
  readonly here: FsEntry | undefined;
  readonly there: FsEntry | undefined;
}

/** Walks come in the order of names, parents first: `/` sorts before every other byte. */
async function* sideBySide(one: FsAgent, other: FsAgent): AsyncGenerator<Pair> {
  const [left, right] = [one.walk(''), other.walk('')];
  let [here, there] = [await taken(left), await taken(right)];
  while (here !== undefined || there !== undefined) {
    const order =
      here === undefined ? 1 : there === undefined ? -1 : compareKeys(keyOf(here), keyOf(there));
    const path = ((order <= 0 ? here : there) as FsEntry).path.toString('latin1');
    yield { path, here: order <= 0 ? here : undefined, there: order >= 0 ? there : undefined };
    if (order <= 0) here = await taken(left);
    if (order >= 0) there = await taken(right);
  }
}

async function taken(entries: AsyncGenerator<FsEntry>): Promise<FsEntry | undefined> {
  const next = await entries.next();
  return next.done === true ? undefined : next.value;
}

function keyOf({ path }: FsEntry): string {
  return path.toString('latin1').replaceAll('/', '\0');
}

function compareKeys(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function hasContent({ mode, sizeBytes }: FsEntry): boolean {
  return isType(mode, constants.S_IFREG) && sizeBytes > 0;
}

function isType(mode: number, type: number): boolean {
  return (mode & constants.S_IFMT) === type;
}

/** Times of directories are left out: an unpacking sets those that the archive names, and no others. */
function attributeDifference(here: FsEntry, there: FsEntry): string | undefined {
  const isDirectory = isType(there.mode, constants.S_IFDIR);
  const isDevice = isType(there.mode, constants.S_IFCHR) || isType(there.mode, constants.S_IFBLK);
  const facts = ({ mode, uid, gid, sizeBytes, mtime, linkTarget, ...entry }: FsEntry) => ({
    mode: mode.toString(8),
    owner: `${uid}:${gid}`,
    device: `${entry.deviceMajor}:${entry.deviceMinor}`,
    size: isDirectory ? 0 : sizeBytes,
    mtime: isDirectory || isDevice ? '' : `${mtime.seconds}.${mtime.nanoseconds}`,
    target: linkTarget.toString('latin1'),
    'extended attributes': entry.xattrs
      .map(({ name, value }) => `${name.toString('latin1' as 'utf8')}=${value.toString('hex')}`)
      .sort()
      .join(' '),
  });
  const [is, want] = [facts(here), facts(there)];
  const key = (Object.keys(want) as (keyof typeof want)[]).find((it) => is[it] !== want[it]);
  return key === undefined ? undefined : `${key} ${is[key] || 'none'}, want ${want[key] || 'none'}`;
}

/** Which names belong to one file. */
class Links {
  readonly #firstHere = new Map<bigint, string>();
  readonly #firstThere = new Map<bigint, string>();

  difference(path: string, here: FsEntry, there: FsEntry): string | undefined {
    if (isType(there.mode, constants.S_IFDIR)) return undefined;
    if (here.linkCount !== there.linkCount)
      return `${here.linkCount} links, want ${there.linkCount}`;
    if (there.linkCount < 2) return undefined;
    const [is, want] = [first(this.#firstHere, path, here), first(this.#firstThere, path, there)];
    return is === want ? undefined : `another file than ${quoteBytes(want)}`;
  }

  /** False for a further name of a file that was seen. */
  isFirst(path: string, { linkCount, inode }: FsEntry): boolean {
    return linkCount < 2 || this.#firstThere.get(inode) === path;
  }
}

function first(names: Map<bigint, string>, path: string, { inode }: FsEntry): string {
  const known = names.get(inode);
  if (known === undefined) names.set(inode, path);
  return known ?? path;
}

/** Compares contents, of small files many at once: each read alone would cost a round trip. */
class Contents {
  readonly #reader: FsAgent;
  readonly #trees: readonly [string, string];
  #waiting: { path: string; equal: Promise<boolean> }[] = [];

  constructor(reader: FsAgent, ...trees: readonly [string, string]) {
    this.#reader = reader;
    this.#trees = trees;
  }

  async *add(path: string, { sizeBytes }: FsEntry): AsyncGenerator<string> {
    const isSmall = sizeBytes <= SMALL_FILE_BYTES;
    if (!isSmall) yield* this.take();
    const digest = isSmall ? this.#smallDigest : this.#digest;
    const equal = Promise.all(
      this.#trees.map((tree) =>
        digest.call(this, Buffer.from(`${tree}/${path}`, 'latin1'), sizeBytes),
      ),
    ).then(([here, there]) => here === there);
    // Awaited in its turn; until then a failure must not count as unhandled.
    equal.catch(() => undefined);
    this.#waiting.push({ path, equal });
    if (!isSmall || this.#waiting.length >= BATCH_FILES) yield* this.take();
  }

  async *take(): AsyncGenerator<string> {
    for (const { path, equal } of this.#waiting.splice(0))
      if (!(await equal)) yield `${quoteBytes(path)} has other content`;
  }

  async #smallDigest(file: Buffer, sizeBytes: number): Promise<string> {
    const hash = createHash('sha256');
    const parts = await this.#reader.readSmall(file, sizeBytes);
    for (const bytes of exactParts(parts, sizeBytes)) hash.update(bytes);
    return hash.digest('hex');
  }

  async #digest(file: Buffer, sizeBytes: number): Promise<string> {
    const hash = createHash('sha256');
    const parts = this.#reader.readFile(file);
    for await (const bytes of exactContent(parts, sizeBytes)) hash.update(bytes);
    return hash.digest('hex');
  }
}
