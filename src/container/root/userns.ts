import { TsmanError, UsageError } from '../../base/error.ts';
import type { EngineUserns, IdMapping } from '../../rootless/id-map.ts';
import { type AutoContext, autoMap } from './userns-auto.ts';
import { extendMap, parseMapOption, splitMaps } from './userns-map.ts';

/** A container's own user namespace. Its maps are written against the engine's: `hostID` is an id in there. */
export interface OwnUserns {
  /** As typed, e.g. `keep-id:uid=1000`. */
  readonly mode: string;
  /** `container:ID` or a path: joined instead of made. */
  readonly join?: string;
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
}

export interface UsernsOptions {
  readonly userns: string | undefined;
  readonly uidmap: readonly string[];
  readonly gidmap: readonly string[];
  readonly subuidname: string | undefined;
  readonly subgidname: string | undefined;
}

/** How many ids the engine's namespace has. */
function sizeOf(mappings: readonly IdMapping[]): number {
  return mappings.reduce((end, line) => Math.max(end, line.containerID + line.size), 0);
}

const ROOT_IDS = 2 ** 32 - 1;

/**
 * What --userns, --uidmap, --gidmap and --subuidname ask for; undefined = the engine's namespace.
 * @param auto what `auto` must know: other containers and the image's ids
 * @throws UsageError, TsmanError
 */
export function parseUserns(
  options: UsernsOptions,
  engine: EngineUserns,
  auto: Pick<AutoContext, 'others' | 'imageIDs'>,
): OwnUserns | undefined {
  const sizes = {
    uid: engine.kind === 'none' ? ROOT_IDS : sizeOf(engine.uidMappings),
    gid: engine.kind === 'none' ? ROOT_IDS : sizeOf(engine.gidMappings),
  };
  const mode = options.userns ?? '';
  if (options.uidmap.length + options.gidmap.length > 0)
    return mapped(options, mode, engine, sizes);
  if (options.subuidname !== undefined || options.subgidname !== undefined) {
    checkSubidName(options);
    return shifted('subuid', 1, Math.min(sizes.uid, sizes.gid) - 1, engine);
  }
  const [kind = '', ...rest] = mode.split(':');
  const argument = rest.join(':');
  if (mode === '' || mode === 'host' || mode === 'private') return undefined;
  if ((kind === 'container' || kind === 'ns') && argument !== '')
    return {
      ...{ mode, uidMappings: [], gidMappings: [] },
      join: kind === 'ns' ? argument : mode,
    };
  requireRange(engine, mode);
  if (kind === 'keep-id')
    return keepID(mode, parseFields(mode, argument, ['uid', 'gid', 'size']), sizes);
  if (mode === 'nomap') return shifted(mode, 1, Math.min(sizes.uid, sizes.gid) - 1, engine);
  if (kind === 'auto') {
    requireRange(engine, mode);
    return autoMap(mode, argument, {
      first: engine.kind === 'none' ? 2 ** 31 : 1,
      ...sizes,
      ...auto,
    });
  }
  throw new UsageError(`option --userns ${mode}: unknown mode`, {
    hint: 'modes are host, keep-id, nomap, auto, container:NAME and ns:PATH',
  });
}

function requireRange(engine: EngineUserns, mode: string): void {
  if (engine.kind === 'single')
    throw new TsmanError(`option --userns ${mode}: you have no subordinate ids to map`, {
      hint: 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER',
    });
  if (engine.kind === 'none' && !mode.startsWith('auto'))
    throw new TsmanError(`option --userns ${mode}: it is for unprivileged users`);
}

function parseFields(mode: string, text: string, known: readonly string[]): Map<string, number> {
  const fields = new Map<string, number>();
  for (const part of text.split(',').filter((word) => word !== '')) {
    const [, key = '', value = ''] = /^([a-z]+)=(\d{1,10})$/.exec(part) ?? [];
    if (!known.includes(key))
      throw new UsageError(`option --userns ${mode}: unknown ${JSON.stringify(part)}`);
    fields.set(key, Number(value));
  }
  return fields;
}

interface Sizes {
  readonly uid: number;
  readonly gid: number;
}

function keepID(mode: string, fields: ReadonlyMap<string, number>, sizes: Sizes): OwnUserns {
  const uid = fields.get('uid') ?? process.getuid?.() ?? 0;
  const gid = fields.get('gid') ?? process.getgid?.() ?? 0;
  const limit = fields.get('size');
  return {
    mode,
    uidMappings: aroundOwn(mode, uid, Math.min(sizes.uid, limit ?? sizes.uid)),
    gidMappings: aroundOwn(mode, gid, Math.min(sizes.gid, limit ?? sizes.gid)),
  };
}

/** The caller (0 of the engine's namespace) as `id`, the subordinate ids around it. */
function aroundOwn(mode: string, id: number, size: number): IdMapping[] {
  if (size < 2) throw new UsageError(`option --userns ${mode}: size= must be at least 2`);
  const below = Math.min(id, size - 1);
  const above = size - 1 - below;
  return [
    ...(below > 0 ? [{ containerID: 0, hostID: 1, size: below }] : []),
    { containerID: id, hostID: 0, size: 1 },
    ...(above > 0 ? [{ containerID: id + 1, hostID: below + 1, size: above }] : []),
  ];
}

/** Ids 0 to size-1 are the engine's from `first` on. */
function shifted(mode: string, first: number, size: number, engine: EngineUserns): OwnUserns {
  requireRange(engine, mode === 'subuid' ? 'auto' : mode);
  const mappings = [{ containerID: 0, hostID: first, size }];
  return { mode, uidMappings: mappings, gidMappings: mappings };
}

function mapped(
  options: UsernsOptions,
  mode: string,
  engine: EngineUserns,
  sizes: Sizes,
): OwnUserns {
  if (mode !== '' && mode !== 'private')
    throw new UsageError(`options --userns ${mode} and --uidmap exclude each other`);
  const { uids, gids } = splitMaps(
    options.uidmap.map((text) => parseMapOption('--uidmap', text)),
    options.gidmap.map((text) => parseMapOption('--gidmap', text)),
  );
  return {
    mode: 'private',
    uidMappings: extendMap('--uidmap', uids, engine.uidMappings, sizes.uid),
    gidMappings: extendMap('--gidmap', gids, engine.gidMappings, sizes.gid),
  };
}

function checkSubidName({ subuidname, subgidname }: UsernsOptions): void {
  const own = process.env['USER'] ?? '';
  for (const name of [subuidname, subgidname])
    if (name !== undefined && name !== own && name !== String(process.getuid?.()))
      throw new TsmanError(`option --subuidname ${name}: newuidmap maps only your own ranges`);
}
