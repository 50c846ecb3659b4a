import { constants } from 'node:fs';
import type { FsAgent } from '../../helper/fs-agent.ts';
import type { FsEntry } from '../../helper/fs-protocol.ts';
import { isDirectory, isOpaque, isWhiteout, mergeLayers } from '../../storage/merged-tree.ts';
import type { TarSource } from '../../storage/tree-tar.ts';

/** Directories that made our mount points' parents in the upper layer; each is shown only with reason. */
interface Parents {
  readonly stubs: ReadonlySet<string>;
  readonly parents: ReadonlySet<string>;
}

/** Two, because an agent in the middle of a walk answers nothing else. */
export interface Agents {
  readonly walker: FsAgent;
  readonly asker: FsAgent;
}

/** The layer of a container's changes: its upper directory, without the mount points that we made. */
export async function* upperSources(
  { walker, asker }: Agents,
  upper: string,
  lower: readonly string[],
  stubs: readonly string[],
  hasMarks = false,
): AsyncGenerator<TarSource> {
  const { stubs: ours, parents } = parentsOf(stubs);
  // Parents of mount points, not yet said: only something below makes them worth a line.
  let waiting: TarSource[] = [];
  for await (const entry of walker.walk(upper)) {
    const path = entry.path.toString('latin1');
    if (path === '' || isOurs(path, ours)) continue;
    const source = changeOf(path, entry, { tree: upper, hasMarks });
    if (source === undefined) continue;
    const above = waiting.filter((parent) => path.startsWith(`${parent.path}/`));
    waiting = [];
    if (parents.has(path) && !isOpaque(entry) && (await isUntouched(asker, lower, path, entry))) {
      waiting = [...above, source];
      continue;
    }
    yield* above;
    yield source;
    if (source.kind === 'entry' && isOpaque(entry)) yield { kind: 'opaque', path };
  }
}

/** Everything a container sees of its layers and changes as one layer (`--squash`). */
export async function* squashedSources(
  agent: FsAgent,
  upper: string,
  lower: readonly string[],
  stubs: readonly string[],
): AsyncGenerator<TarSource> {
  const tree = await mergeLayers(agent, [upper, ...lower]);
  const ours = new Set(stubs);
  for (const path of [...tree.keys()].sort()) {
    const found = tree.get(path);
    if (found === undefined || path === '') continue;
    if (found.layer === upper && isOurs(path, ours)) continue;
    yield { kind: 'entry', path, entry: found.entry, tree: found.layer };
  }
}

function parentsOf(stubs: readonly string[]): Parents {
  const parents = new Set<string>();
  for (const stub of stubs)
    for (let at = stub.lastIndexOf('/'); at > 0; at = stub.lastIndexOf('/', at - 1))
      parents.add(stub.slice(0, at));
  return { stubs: new Set(stubs), parents };
}

/** A mount point, or what lies below it, where only a mount's maker could write. */
function isOurs(path: string, stubs: ReadonlySet<string>): boolean {
  if (stubs.has(path)) return true;
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    if (stubs.has(path.slice(0, at))) return true;
  return false;
}

/**
 * A name that begins with `.wh.` would hide something: no layer can hold it (image-spec layer.md).
 * fuse-overlayfs makes such files where it may not make devices; containers see none of them.
 */
function changeOf(
  path: string,
  entry: FsEntry,
  { tree, hasMarks }: { tree: string; hasMarks: boolean },
): TarSource | undefined {
  if (isWhiteout(entry)) return { kind: 'whiteout', path };
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash);
  if (!name.startsWith('.wh.')) return { kind: 'entry', path, entry, tree };
  if (!hasMarks) return undefined;
  if (name === '.wh..wh..opq')
    return { kind: 'opaque', path: path.slice(0, Math.max(0, slash - 1)) };
  return { kind: 'whiteout', path: path.slice(0, slash) + name.slice('.wh.'.length) };
}

/** True when a mount point in the directory is the only reason for its being in the upper layer. */
async function isUntouched(
  asker: FsAgent,
  lower: readonly string[],
  path: string,
  entry: FsEntry,
): Promise<boolean> {
  if (!isDirectory(entry)) return false;
  const made = { uid: 0, gid: 0, mode: constants.S_IFDIR | 0o755, xattrs: [] };
  const below = (await findLower(asker, lower, path)) ?? made;
  return (
    below.uid === entry.uid &&
    below.gid === entry.gid &&
    below.mode === entry.mode &&
    ownXattrs(below) === ownXattrs(entry)
  );
}

async function findLower(
  asker: FsAgent,
  lower: readonly string[],
  path: string,
): Promise<FsEntry | undefined> {
  for (const layer of lower) {
    const found = await asker.stat(Buffer.from(`${layer}/${path}`, 'latin1'));
    if (found !== undefined) return isWhiteout(found) ? undefined : found;
  }
  return undefined;
}

function ownXattrs({ xattrs }: Pick<FsEntry, 'xattrs'>): string {
  return xattrs
    .filter(({ name }) => !/^(user|trusted)\.overlay\./.test(name.toString()))
    .map(({ name, value }) => `${name}=${value.toString('hex')}`)
    .sort()
    .join();
}
