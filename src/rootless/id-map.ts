import { readIfExists } from '../base/file.ts';
import { ownUserName } from '../base/own-user.ts';
import type { PlanRecord } from '../helper/plan.ts';

/** One line of /proc/PID/uid_map; see user_namespaces(7). */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** The maps of the engine's user namespace. */
export interface EngineUserns {
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
  /** `none`: we are root and need no namespace; `single`: no subordinate ids, one id only. */
  readonly kind: 'none' | 'map' | 'single';
}

/** Reads the ranges /etc/subuid or /etc/subgid gives to a user (subuid(5)): by name or by uid. */
export function parseSubidRanges(
  content: string,
  userName: string,
  uid: number,
): { start: number; count: number }[] {
  const ranges = [];
  for (const line of content.split('\n')) {
    const [owner, start, count] = line.split(':');
    if (owner !== userName && owner !== String(uid)) continue;
    const range = { start: Number(start), count: Number(count) };
    if (Number.isSafeInteger(range.start) && Number.isSafeInteger(range.count) && range.count > 0)
      ranges.push(range);
  }
  return ranges;
}

function mappings(ownID: number, ranges: { start: number; count: number }[]): IdMapping[] {
  const lines: IdMapping[] = [{ containerID: 0, hostID: ownID, size: 1 }];
  let next = 1;
  for (const { start, count } of ranges) {
    lines.push({ containerID: next, hostID: start, size: count });
    next += count;
  }
  return lines;
}

/** Decides the engine's user namespace for the calling user: root itself, subordinate ranges, or one id. */
export function engineUserns(): EngineUserns {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  if (uid === 0 && hasFullMap()) return { kind: 'none', uidMappings: [], gidMappings: [] };
  // Root of a user namespace with one id: the ranges of the host's root are not there.
  if (uid === 0)
    return { kind: 'single', uidMappings: mappings(0, []), gidMappings: mappings(0, []) };
  const name = ownUserName();
  const uidRanges = parseSubidRanges(readIfExists('/etc/subuid') ?? '', name, uid);
  const gidRanges = parseSubidRanges(readIfExists('/etc/subgid') ?? '', name, uid);
  if (uidRanges.length === 0 || gidRanges.length === 0) {
    return { kind: 'single', uidMappings: mappings(uid, []), gidMappings: mappings(gid, []) };
  }
  return {
    kind: 'map',
    uidMappings: mappings(uid, uidRanges),
    gidMappings: mappings(gid, gidRanges),
  };
}

/** Root in a container has uid 0 too; it counts as root only with a map of more than one id. */
function hasFullMap(): boolean {
  const map = readIfExists('/proc/self/uid_map') ?? '';
  return (
    map.split('\n').reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[2] ?? 0), 0) > 1
  );
}

/**
 * The same map in lines that each lie within one line of the outer namespace's: the kernel takes no others
 * (user_namespaces(7)).
 */
export function splitMappings(
  mappings: readonly IdMapping[],
  outer: readonly IdMapping[],
): IdMapping[] {
  if (outer.length === 0) return [...mappings];
  return mappings.flatMap(({ containerID, hostID, size }) =>
    outer.flatMap((line) => {
      const first = Math.max(hostID, line.containerID);
      const end = Math.min(hostID + size, line.containerID + line.size);
      if (first >= end) return [];
      return [{ containerID: containerID + first - hostID, hostID: first, size: end - first }];
    }),
  );
}

/** The plan records that make a helper enter the engine's user namespace. */
export function usernsRecords(userns: EngineUserns, runRoot: string): PlanRecord[] {
  if (userns.kind === 'none') return [['userns', 'none']];
  return [
    ['userns', 'map', runRoot],
    ...userns.uidMappings.map((m): PlanRecord => ['uid-map', m.containerID, m.hostID, m.size]),
    ...userns.gidMappings.map((m): PlanRecord => ['gid-map', m.containerID, m.hostID, m.size]),
  ];
}
