import * as fs from 'node:fs';
import { TsmanError } from '../../base/error.ts';
import { readIfExists } from '../../base/file.ts';
import { sleep } from '../../base/sleep.ts';
import type { CreateTarget } from '../create.ts';
import { type Container, readConfig } from '../record.ts';
import { readState } from '../state.ts';
import { namesOf, networkPidFile, placeRecords } from './bridge-networks.ts';
import { forgetHosts, pidFileOf, runNet } from './network-live.ts';

const SIGUSR1 = 10;
const PATIENCE_MS = 2_000;

/**
 * Makes what a running container's networks need again: the up-link that all share, and, where a
 * process of the container's own has ended, its interfaces, leases and published ports.
 * @throws TsmanError
 */
export async function reloadNetworks(target: CreateTarget, container: Container): Promise<void> {
  const { pid, networkDied } = readState(target.directories, container.id);
  if (pid === 0) throw new TsmanError(`container ${container.name} is not running`);
  const isBridge = container.spec.networkMode === 'bridge';
  if (networkDied && !isBridge)
    throw new TsmanError(`the network process of container ${container.name} has ended`, {
      hint: `tsman restart ${container.name} makes a new one`,
    });
  if (!isBridge) return;
  if (networkDied || joined(target, container).some((process) => process === undefined))
    await renew(target, container, pid);
  else await runNet(target, container, pid, [], '');
}

/** Processes of networks that were joined while the container ran; undefined = it has ended. */
function joined(target: CreateTarget, container: Container): (number | undefined)[] {
  return (container.spec.networks ?? []).flatMap(({ network }) => {
    const pid = readIfExists(pidFileOf(target, container, network));
    return pid === undefined ? [] : [living(Number(pid))];
  });
}

/** Undefined also for one that has ended and that nobody has reaped: it has no command line. */
function living(pid: number): number | undefined {
  if (readIfExists(`/proc/${pid}/comm`)?.trim() !== 'tsman-net') return undefined;
  return readIfExists(`/proc/${pid}/cmdline`) === '' ? undefined : pid;
}

/** One process again for all networks: those that are left go first, with what they hold. */
async function renew(target: CreateTarget, container: Container, pid: number): Promise<void> {
  const pidFile = networkPidFile(target, container);
  await end([...joined(target, container), living(Number(readIfExists(pidFile) ?? 0))]);
  for (const { network } of container.spec.networks ?? [])
    fs.rmSync(pidFileOf(target, container, network), { force: true });
  const names = namesOf(container, readConfig(target.storage, container.id).hostname);
  forgetHosts(target, container, (line) => line.endsWith(` ${names.join(' ')}`));
  const records = placeRecords(target, container, names);
  await runNet(target, container, pid, [['renew'], ...records], pidFile);
  await tellMonitor(target, container);
}

async function end(processes: readonly (number | undefined)[]): Promise<void> {
  const pids = processes.filter((pid) => pid !== undefined);
  for (const pid of pids) process.kill(pid);
  const deadline = performance.now() + PATIENCE_MS;
  while (pids.some((pid) => living(pid) !== undefined) && performance.now() < deadline)
    await sleep(5);
}

/** The monitor ends the process with the container, and says so if it ends before. */
async function tellMonitor(target: CreateTarget, container: Container): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const state = readState(target.directories, container.id);
    if (state.pid === 0 || state.monitorPid === 0 || !state.networkDied) return;
    if (performance.now() > deadline)
      throw new TsmanError(`the monitor of container ${container.name} does not answer`, {
        hint: `its network is there; tsman restart ${container.name} makes everything anew`,
      });
    process.kill(state.monitorPid, SIGUSR1);
    await sleep(20);
  }
}
