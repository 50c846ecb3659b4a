import { type Check, type Finding, findProgram, ok, problem } from './check.ts';
import type { Host } from './host.ts';

/** Devices, the helper and the program of another package that networks need. */
export const DEVICE_CHECKS: readonly Check[] = [
  {
    name: 'helper',
    run: helper,
  },
  {
    name: '/dev/fuse',
    run: (host) => device(host, '/dev/fuse', 'limited', 'fuse-missing', 'fuse-closed'),
  },
  {
    name: '/dev/net/tun',
    steps: ['network-process'],
    run: (host) => device(host, '/dev/net/tun', 'missing', 'tun-missing', 'tun-closed'),
  },
  { name: 'pasta', steps: ['network-process'], run: pasta },
];

function helper(host: Host): Finding {
  const stat = host.stat(host.helper);
  if (stat === undefined) return problem('missing', 'helper-missing', host, { path: host.helper });
  return (stat.mode & 0o111) === 0
    ? problem('missing', 'helper-not-executable', host, { path: host.helper })
    : ok(host.helper);
}

function device(
  host: Host,
  path: string,
  verdict: 'limited' | 'missing',
  absent: 'fuse-missing' | 'tun-missing',
  closed: 'fuse-closed' | 'tun-closed',
): Finding {
  if (host.stat(path) === undefined) return problem(verdict, absent, host);
  return host.canUse(path) ? ok('usable') : problem(verdict, closed, host);
}

function pasta(host: Host): Finding {
  const path = findProgram(host, 'pasta');
  if (path !== undefined) return ok(path);
  return findProgram(host, 'slirp4netns') === undefined
    ? problem('missing', 'pasta-missing', host)
    : problem('limited', 'slirp-only', host);
}
