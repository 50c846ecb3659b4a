import { parseSubidRanges } from '../rootless/id-map.ts';
import { type Check, type Finding, findProgram, ok, problem } from './check.ts';
import type { Host } from './host.ts';
import { mountOf } from './mounts.ts';

const ENOUGH_IDS = 65_535;
const SET_UID = 0o4000;

type Range = ReturnType<typeof parseSubidRanges>[number];

/** The ranges of ids a user may map, and the two programs that map them. */
export const ID_CHECKS: readonly Check[] = [
  { name: 'subordinate uids', forUsers: true, run: (host) => subids(host, 'uid') },
  { name: 'subordinate gids', forUsers: true, run: (host) => subids(host, 'gid') },
  {
    name: 'newuidmap',
    steps: ['newuidmap'],
    forUsers: true,
    run: (host) => mapper(host, 'newuidmap', 'cap_setuid'),
  },
  {
    name: 'newgidmap',
    steps: ['newgidmap'],
    forUsers: true,
    run: (host) => mapper(host, 'newgidmap', 'cap_setgid'),
  },
  {
    name: 'set-uid programs',
    steps: ['newuidmap', 'newgidmap'],
    forUsers: true,
    run: (host) =>
      /^NoNewPrivs:\s*1/m.test(host.read('/proc/self/status') ?? '')
        ? problem('missing', 'no-new-privileges', host)
        : ok('have their effect'),
  },
];

function subids(host: Host, kind: 'uid' | 'gid'): Finding {
  const file = `/etc/sub${kind}`;
  const content = host.read(file) ?? '';
  const ranges = parseSubidRanges(content, host.user, host.uid);
  const count = ranges.reduce((sum, range) => sum + range.count, 0);
  if (count === 0) return problem('missing', 'subids-missing', host, { file });
  const other = overlapping(content, host, ranges);
  if (other !== undefined) return problem('missing', 'subids-overlap', host, { file, ...other });
  if (!isInside(host.read(`/proc/self/${kind}_map`) ?? '', ranges))
    return problem('missing', 'subids-outside', host, { file });
  return count < ENOUGH_IDS
    ? problem('limited', 'subids-small', host, { file, count: String(count) })
    : ok(`${count} in ${file}`);
}

function overlapping(
  content: string,
  host: Host,
  ranges: readonly Range[],
): { other: string; range: string } | undefined {
  for (const line of content.split('\n')) {
    const [owner = '', start, count] = line.split(':');
    if (owner === '' || owner === host.user || owner === String(host.uid)) continue;
    const first = Number(start);
    const last = first + Number(count) - 1;
    if (ranges.some((range) => first < range.start + range.count && last >= range.start))
      return { other: owner, range: `${first}-${last}` };
  }
  return undefined;
}

/** In a container only ids of its own map can be handed on (user_namespaces(7)). */
function isInside(map: string, ranges: readonly Range[]): boolean {
  const extents = map
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((fields) => fields.length === 3);
  if (extents.length === 0) return true;
  return ranges.every(({ start, count }) =>
    extents.some(([inside = 0, , size = 0]) => start >= inside && start + count <= inside + size),
  );
}

function mapper(host: Host, program: string, capability: string): Finding {
  const path = findProgram(host, program);
  if (path === undefined) return problem('missing', 'idmap-missing', host, { program });
  const stat = host.stat(path);
  const isSetUid = stat !== undefined && (stat.mode & SET_UID) !== 0 && stat.uid === 0;
  if (!isSetUid && !host.fileCapabilities(path).includes(capability))
    return problem('missing', 'idmap-powerless', host, { path, capability });
  const mount = mountOf(host, path);
  if (mount?.options.includes('nosuid') === true)
    return problem('missing', 'idmap-nosuid', host, { path, mount: mount.point });
  return ok(isSetUid ? `${path}, set-uid` : `${path}, with ${capability}`);
}
