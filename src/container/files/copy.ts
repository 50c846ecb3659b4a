import { TsmanError } from '../../base/error.ts';
import type { FsAgent } from '../../helper/fs-agent.ts';
import { type TarSource, treeTar } from '../../storage/tree-tar.ts';
import { TreeUnpacker } from '../../storage/tree-unpacker.ts';
import { isDirectory, type Resolved, resolveInside } from '../root/inside-path.ts';
import { type CopyPlace, meansContent, placeCopy, typedName } from './copy-paths.ts';

/** One end of a copy: a file agent and a path below its directory, as typed. */
export interface CopyEnd {
  readonly agent: FsAgent;
  readonly path: string;
  /** For messages, e.g. `web:/etc`. */
  readonly shown: string;
}

export interface CopyOptions {
  /** Every file's owner; undefined keeps the source's. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** A directory may take the place of a file, and a file that of a directory. */
  readonly overwrite: boolean;
}

/** Copies a file or tree from one place to another. @throws TsmanError */
export async function copyTree(
  source: CopyEnd,
  destination: CopyEnd,
  options: CopyOptions,
): Promise<void> {
  const found = await resolveSource(source);
  const at = await resolveInside(destination.agent, destination.path);
  const name = typedName(source.path, found);
  const place = placeCopy(
    { typed: source.path, isDirectory: isDirectory(found.entry), name },
    { typed: destination.path, at, parentExists: await hasParent(destination.agent, at) },
  );
  const oldName = found.path.slice(found.path.lastIndexOf('/') + 1);
  const unpacker = await unpackerFor(destination, place, options, oldName);
  await pour(
    treeTar(source.agent, await entriesOf(source.agent, found), { sparse: true }),
    unpacker,
    destination,
  );
}

/** What an archive of a file or directory holds; names begin with the last component of the path. */
export async function archiveOf(source: CopyEnd): Promise<TarSource[]> {
  const found = await resolveSource(source);
  return await entriesOf(source.agent, found, meansContent(source.path));
}

/** Unpacks an archive into a directory that exists. @throws TsmanError */
export async function copyArchive(
  archive: AsyncIterable<Buffer>,
  destination: CopyEnd,
  options: CopyOptions,
): Promise<void> {
  const at = await resolveInside(destination.agent, destination.path);
  if (!isDirectory(at.entry))
    throw new TsmanError(`copy an archive to ${destination.shown}: it is not a directory`);
  const place = { parent: at.path, name: '', merges: true };
  await pour(archive, await unpackerFor(destination, place, options, ''), destination);
}

async function resolveSource(source: CopyEnd): Promise<Resolved> {
  const found = await resolveInside(source.agent, source.path);
  const wantsDirectory = /\/\.?$/.test(source.path);
  if (found.entry === undefined)
    throw new TsmanError(`copy ${source.shown}: no such file or directory`);
  if (wantsDirectory && !isDirectory(found.entry))
    throw new TsmanError(`copy ${source.shown}: it is not a directory`);
  return found;
}

async function hasParent(agent: FsAgent, at: Resolved): Promise<boolean> {
  const slash = at.path.lastIndexOf('/');
  return slash < 0 || isDirectory(await agent.stat(Buffer.from(at.path.slice(0, slash), 'latin1')));
}

/** Listed whole before the first is read: an agent answers one request after the other. */
async function entriesOf(
  agent: FsAgent,
  { path }: Resolved,
  contentOnly = false,
): Promise<TarSource[]> {
  const slash = path.lastIndexOf('/');
  const tree = contentOnly ? path : path.slice(0, Math.max(slash, 0));
  const prefix = contentOnly ? '' : path.slice(slash + 1);
  const sources: TarSource[] = [];
  for await (const entry of agent.walk(Buffer.from(path, 'latin1'))) {
    const below = entry.path.toString('latin1');
    const name = prefix === '' || below === '' ? prefix + below : `${prefix}/${below}`;
    if (name !== '') sources.push({ kind: 'entry', path: name, entry, tree });
  }
  return sources;
}

async function unpackerFor(
  destination: CopyEnd,
  { parent, name, merges }: CopyPlace,
  options: CopyOptions,
  oldName: string,
): Promise<TreeUnpacker> {
  const at = name === '' ? parent : parent === '' ? name : `${parent}/${name}`;
  const existing = options.overwrite ? undefined : await kindsBelow(destination.agent, at);
  return new TreeUnpacker(destination.agent, {
    at,
    ...(options.owner === undefined ? {} : { owner: options.owner }),
    rename: (path) => {
      const below = path.slice(oldName.length).replace(/^\//, '');
      return below === '' && merges ? undefined : below;
    },
    check: (path, isNewDirectory) => {
      const old = existing?.get(path);
      if (old !== undefined && old !== isNewDirectory)
        throw new TsmanError(
          `copy to ${destination.shown}: ${Buffer.from(path, 'latin1')} is ${old ? 'a' : 'not a'} directory`,
          { hint: 'with --overwrite it is replaced' },
        );
    },
  });
}

/** Which of the paths at and below `at` exist, and whether they are directories. */
async function kindsBelow(agent: FsAgent, at: string): Promise<Map<string, boolean>> {
  const kinds = new Map<string, boolean>();
  if ((await agent.stat(Buffer.from(at, 'latin1'))) === undefined) return kinds;
  for await (const entry of agent.walk(Buffer.from(at, 'latin1'), { xattrs: false })) {
    const below = entry.path.toString('latin1');
    const path = at === '' || below === '' ? at + below : `${at}/${below}`;
    kinds.set(path, isDirectory(entry));
  }
  return kinds;
}

async function pour(
  archive: AsyncIterable<Buffer>,
  unpacker: TreeUnpacker,
  { agent }: CopyEnd,
): Promise<void> {
  for await (const chunk of archive) {
    unpacker.write(chunk);
    await agent.drain();
  }
  unpacker.end();
  await agent.sync();
}
