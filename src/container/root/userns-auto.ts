import { TsmanError, UsageError } from '../../base/error.ts';
import type { IdMapping } from '../../rootless/id-map.ts';
import type { Container } from '../record.ts';
import type { OwnUserns } from './userns.ts';

export interface AutoContext {
  /** Containers whose ids `auto` must keep away from. */
  readonly others: () => readonly Container[];
  /** How many ids the image's users and groups need. */
  readonly imageIDs: () => number;
  /** The first id of the engine's namespace that may be taken, and how many there are. */
  readonly first: number;
  readonly uid: number;
  readonly gid: number;
}

interface Wish {
  readonly size: number | undefined;
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/** As containers/storage: enough for the image, but no fewer. */
const AUTO_SIZE = 1024;

/**
 * `auto[:size=N,uidmapping=C:E:N,gidmapping=C:E:N]`: ids that no other `auto` container has, in one
 * stretch, around the lines that are given.
 * @throws UsageError, TsmanError
 */
export function autoMap(mode: string, argument: string, context: AutoContext): OwnUserns {
  const wish = parseWish(mode, argument);
  const size = wish.size ?? Math.max(AUTO_SIZE, context.imageIDs());
  const taken = context
    .others()
    .flatMap(({ spec }) => (spec.userns?.mode.startsWith('auto') === true ? [spec.userns] : []))
    .flatMap(({ uidMappings, gidMappings }) => [...uidMappings, ...gidMappings])
    .concat(wish.uids, wish.gids)
    .sort((a, b) => a.hostID - b.hostID);
  let { first } = context;
  for (const line of taken)
    if (first + size > line.hostID) first = Math.max(first, line.hostID + line.size);
  for (const line of [...wish.uids, ...wish.gids])
    if (line.hostID + line.size > Math.min(context.uid, context.gid))
      throw new UsageError(
        `option --userns ${mode}: id ${line.hostID + line.size - 1} is not yours`,
      );
  if (size < 1 || first + size > Math.min(context.uid, context.gid))
    throw new TsmanError(`option --userns ${mode}: no ${size} subordinate ids are free`, {
      hint: 'remove containers made with --userns auto, or give a smaller size=',
    });
  return {
    mode,
    uidMappings: around(wish.uids, first, size),
    gidMappings: around(wish.gids, first, size),
  };
}

function parseWish(mode: string, argument: string): Wish {
  const lines: Record<'uidmapping' | 'gidmapping', IdMapping[]> = {
    uidmapping: [],
    gidmapping: [],
  };
  let size: number | undefined;
  for (const part of argument.split(',').filter((word) => word !== '')) {
    const map = /^(uidmapping|gidmapping)=(\d{1,9}):(\d{1,9}):(\d{1,9})$/.exec(part);
    const count = /^size=(\d{1,10})$/.exec(part)?.[1];
    if (count !== undefined) size = Number(count);
    else if (map !== null)
      lines[map[1] as keyof typeof lines].push({
        ...{ containerID: Number(map[2]), hostID: Number(map[3]), size: Number(map[4]) },
      });
    else
      throw new UsageError(`option --userns ${mode}: unknown ${JSON.stringify(part)}`, {
        hint: 'want size=N, uidmapping=CONTAINER:FROM:N and gidmapping=CONTAINER:FROM:N',
      });
  }
  return { size, uids: lines.uidmapping, gids: lines.gidmapping };
}

/** Ids 0 to size-1: the given lines, and between them those from `first` on. */
function around(given: readonly IdMapping[], first: number, size: number): IdMapping[] {
  const lines: IdMapping[] = [];
  let [at, hostID] = [0, first];
  for (const line of [...given].sort((a, b) => a.containerID - b.containerID)) {
    if (line.size < 1 || line.containerID < at)
      throw new UsageError(`option --userns auto: id ${line.containerID} is mapped twice`);
    const gap = Math.min(line.containerID, size) - at;
    if (gap > 0) lines.push({ containerID: at, hostID, size: gap });
    hostID += Math.max(0, gap);
    lines.push(line);
    at = line.containerID + line.size;
  }
  if (at < size) lines.push({ containerID: at, hostID, size: size - at });
  return lines;
}
