import { type Check, type Finding, ok, problem, sysctl } from './check.ts';
import type { Host } from './host.ts';

const WANTED_CONTROLLERS = ['cpu', 'memory', 'pids'];

/** What a login gives a user: cgroups, a run-time directory, lingering; and two sysctls. */
export const SESSION_CHECKS: readonly Check[] = [
  { name: 'cgroups', steps: ['cgroup'], run: cgroups },
  { name: 'XDG_RUNTIME_DIR', forUsers: true, run: runtimeDirectory },
  { name: 'lingering', forUsers: true, run: linger },
  { name: 'published ports', forUsers: true, run: lowPorts },
  { name: 'ping', forUsers: true, run: ping },
];

function cgroups(host: Host): Finding {
  const root = host.read('/sys/fs/cgroup/cgroup.controllers');
  if (root === undefined) return problem('limited', 'cgroup-v1', host);
  if (host.uid === 0) return ok(`v2: ${root.trim()}`);
  const service = `/sys/fs/cgroup/user.slice/user-${host.uid}.slice/user@${host.uid}.service`;
  const delegated = host.read(`${service}/cgroup.controllers`)?.trim().split(/\s+/);
  // Without a user manager the advice to enable lingering is the one that helps; one line says it.
  if (delegated === undefined)
    return hasLinger(host) ? problem('limited', 'no-session', host) : ok('v2, no session yet');
  const missing = WANTED_CONTROLLERS.filter((name) => !delegated.includes(name));
  return missing.length === 0
    ? ok(`v2: ${delegated.join(' ')}`)
    : problem('limited', 'cgroup-not-delegated', host, { controllers: missing.join(', ') });
}

function runtimeDirectory(host: Host): Finding {
  const asked = host.env['XDG_RUNTIME_DIR'];
  const usual = `/run/user/${host.uid}`;
  if (asked !== undefined && asked !== '') {
    return host.stat(asked)?.uid === host.uid
      ? ok(asked)
      : problem('limited', 'runtime-dir-foreign', host, { path: asked });
  }
  // With lingering off, the line about lingering says the same.
  return host.stat(usual)?.uid === host.uid || !hasLinger(host)
    ? ok(host.stat(usual) === undefined ? 'not set' : `not set; ${usual} is used`)
    : problem('limited', 'runtime-dir-unset', host);
}

function hasLinger(host: Host): boolean {
  return host.stat(`/var/lib/systemd/linger/${host.user}`) !== undefined;
}

function linger(host: Host): Finding {
  if (host.stat('/run/systemd/system') === undefined) return ok('no systemd here');
  return hasLinger(host) ? ok('on') : problem('limited', 'no-linger', host);
}

function lowPorts(host: Host): Finding {
  const value = sysctl(host, 'net.ipv4.ip_unprivileged_port_start') ?? '1024';
  if (Number(value) <= 80) return ok(`from ${value}`);
  // 1024 is how every distribution ships; a higher one was set by somebody.
  return Number(value) <= 1024
    ? ok(`from ${value}`)
    : problem('limited', 'low-ports', host, { value });
}

function ping(host: Host): Finding {
  const value = sysctl(host, 'net.ipv4.ping_group_range') ?? '';
  const [least = 1, most = 0] = value.split(/\s+/).map(Number);
  return host.gid >= least && host.gid <= most
    ? ok(`groups ${least} to ${most}`)
    : problem('limited', 'ping-range', host, { value: value.replace(/\s+/g, ' ') });
}
