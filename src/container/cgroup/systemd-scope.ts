import { TsmanError } from '../../base/error.ts';
import { nodeChildProcess } from '../../base/late-modules.ts';
import { cgroupPath } from './own-cgroup.ts';

const MANAGER = [
  'org.freedesktop.systemd1',
  '/org/freedesktop/systemd1',
  'org.freedesktop.systemd1.Manager',
];

const LONGEST_MS = 10_000;

/**
 * Has systemd (the user's, for root the machine's) put this process, or others, into a new scope whose
 * cgroups are ours to arrange.
 * @returns the scope's cgroup
 * @throws TsmanError
 */
export function moveIntoScope(
  unit: string,
  slice: string | undefined,
  pids: readonly number[] = [process.pid],
): string {
  const properties = [
    ['Description', 's', 'tsman container'],
    ['PIDs', 'au', String(pids.length), ...pids.map(String)],
    ['Delegate', 'b', 'true'],
    ['CollectMode', 's', 'inactive-or-failed'],
    ...(slice === undefined ? [] : [['Slice', 's', slice]]),
  ];
  callManager(
    ...['StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'fail'],
    ...[String(properties.length), ...properties.flat(), '0'],
  );
  return waitForMove(unit, pids[0] ?? process.pid);
}

/** Puts more processes into a scope. @throws TsmanError */
export function attachToScope(unit: string, pids: readonly number[]): void {
  callManager('AttachProcessesToUnit', 'ssau', unit, '', String(pids.length), ...pids.map(String));
}

function callManager(...words: readonly string[]): void {
  const { status, stderr, error } = nodeChildProcess().spawnSync(
    'busctl',
    [process.geteuid?.() === 0 ? '--system' : '--user', 'call', ...MANAGER, ...words],
    { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], timeout: LONGEST_MS },
  );
  if (status !== 0)
    throw new TsmanError(
      `no cgroup is delegated to you, and systemd gives none: ${(error?.message ?? stderr).trim()}`,
      {
        hint: 'limits work in a login session with systemd --user, or in a unit with Delegate=yes',
      },
    );
}

/** The answer comes before the move. */
function waitForMove(unit: string, pid: number): string {
  const deadline = performance.now() + LONGEST_MS;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const path = cgroupPath(pid);
    if (path?.endsWith(`/${unit}`) === true) return path;
    if (performance.now() > deadline)
      throw new TsmanError(`systemd did not put process ${pid} into ${unit}`, {
        hint: `systemctl --user status ${unit} may tell why`,
      });
    Atomics.wait(pause, 0, 0, 2);
  }
}
