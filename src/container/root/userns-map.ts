import { UsageError } from '../../base/error.ts';
import type { IdMapping } from '../../rootless/id-map.ts';

/** One `--uidmap [FLAGS]CONTAINER:FROM[:AMOUNT]`, FROM in the engine's namespace or, with `@`, on the host. */
export interface TypedMap extends IdMapping {
  readonly isHost: boolean;
  /** `+`: the rest of the default map stays. */
  readonly extends: boolean;
  /** `u` and `g`: for these kinds of ids alone; empty = what the option says. */
  readonly kinds: string;
}

/** @throws UsageError */
export function parseMapOption(option: string, text: string): TypedMap {
  const match = /^([ug+]*)(\d{1,10}):(@?)(\d{1,10})(?::(\d{1,10}))?$/.exec(text);
  const size = Number(match?.[5] ?? 1);
  if (match === null || size === 0)
    throw new UsageError(`option ${option} ${text}: want [FLAGS]CONTAINER_ID:FROM_ID[:AMOUNT]`);
  const [, flags = '', containerID, at, hostID] = match;
  return {
    ...{ containerID: Number(containerID), hostID: Number(hostID), size },
    ...{ isHost: at === '@', extends: flags.includes('+') },
    kinds: flags.replaceAll('+', ''),
  };
}

/**
 * Which lines of --uidmap and --gidmap are for users, which for groups. A map given for one kind alone
 * counts for both, but for its lines with `u` or `g` (podman-run(1), --uidmap).
 */
export function splitMaps(
  uidmap: readonly TypedMap[],
  gidmap: readonly TypedMap[],
): { uids: TypedMap[]; gids: TypedMap[] } {
  const pick = (kind: 'u' | 'g', own: readonly TypedMap[], other: readonly TypedMap[]) => [
    ...own.filter(({ kinds }) => kinds === '' || kinds.includes(kind)),
    ...other.filter(({ kinds }) => kinds.includes(kind) || (kinds === '' && own.length === 0)),
  ];
  return { uids: pick('u', uidmap, gidmap), gids: pick('g', gidmap, uidmap) };
}

/** The complete map of one kind of ids, against the engine's namespace. @throws UsageError */
export function extendMap(
  option: string,
  typed: readonly TypedMap[],
  engine: readonly IdMapping[],
  count: number,
): IdMapping[] {
  const own = typed.map((line) => ({
    containerID: line.containerID,
    hostID: line.isHost ? inEngine(option, line, engine) : line.hostID,
    size: line.size,
  }));
  for (const line of own)
    if (line.hostID + line.size > count)
      throw new UsageError(
        `option ${option}: ids ${line.hostID} to ${line.hostID + line.size - 1} are not all yours: there are ${count}`,
      );
  const whole =
    typed.length === 0 || typed.some((line) => line.extends) ? [...own, ...rest(own, count)] : own;
  const sorted = whole.sort((a, b) => a.containerID - b.containerID);
  for (const [i, line] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && line.containerID + line.size > next.containerID)
      throw new UsageError(`option ${option}: id ${next.containerID} is mapped twice`);
  }
  if (sorted[0]?.containerID !== 0)
    throw new UsageError(`option ${option}: 0 must be mapped: a container is set up by its root`);
  return sorted;
}

function inEngine(option: string, line: TypedMap, engine: readonly IdMapping[]): number {
  const range = engine.find(
    ({ hostID, size }) => line.hostID >= hostID && line.hostID + line.size <= hostID + size,
  );
  if (range === undefined)
    throw new UsageError(`option ${option}: the host's id ${line.hostID} is not yours to map`);
  return line.hostID - range.hostID + range.containerID;
}

/** Free ids of the container, in order, for the engine's ids that are not used yet. */
function rest(own: readonly IdMapping[], count: number): IdMapping[] {
  const edges = (key: 'containerID' | 'hostID'): [number, number][] =>
    free(
      own.map((line): [number, number] => [line[key], line[key] + line.size]),
      count,
    );
  const lines: IdMapping[] = [];
  const inner = edges('containerID');
  const outer = edges('hostID');
  for (let [a, b] = [inner.shift(), outer.shift()]; a !== undefined && b !== undefined; ) {
    const size = Math.min(a[1] - a[0], b[1] - b[0]);
    lines.push({ containerID: a[0], hostID: b[0], size });
    a = a[0] + size < a[1] ? [a[0] + size, a[1]] : inner.shift();
    b = b[0] + size < b[1] ? [b[0] + size, b[1]] : outer.shift();
  }
  return lines;
}

/** What of 0..count the ranges leave free. */
function free(taken: [number, number][], count: number): [number, number][] {
  const gaps: [number, number][] = [];
  let at = 0;
  for (const [first, end] of taken.sort((a, b) => a[0] - b[0])) {
    if (first > at) gaps.push([at, Math.min(first, count)]);
    at = Math.max(at, end);
  }
  if (at < count) gaps.push([at, count]);
  return gaps;
}
