import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { TsmanError } from '../../base/error.ts';
import { readIfExists } from '../../base/file.ts';
import { helperPath } from '../../helper/location.ts';
import type { PlanRecord } from '../../helper/plan.ts';
import { writePlan } from '../../helper/run.ts';
import type { NetworkAttachment } from '../../network/attachment.ts';
import { attachRecords, hubRecords } from '../../network/bridge-plan.ts';
import { readLeases } from '../../network/leases.ts';
import type { Network } from '../../network/network.ts';
import { updateContainerSpec } from '../../storage/containers.ts';
import type { CreateTarget } from '../create.ts';
import { recordEvent } from '../events/events.ts';
import { type Container, readConfig } from '../record.ts';
import { readState, runDirectory } from '../state.ts';
import { hostsRecords, livePlanPath, namesOf } from './bridge-networks.ts';

/** Puts a container on one more network, at once when it runs. @throws TsmanError */
export async function connectContainer(
  target: CreateTarget,
  container: Container,
  network: Network,
  attachment: NetworkAttachment,
): Promise<void> {
  const before = bridgeAttachments(container);
  if (before.some((other) => other.network === network.name))
    throw new TsmanError(`container ${container.name} is on network ${network.name} already`);
  const { pid } = readState(target.directories, container.id);
  if (pid !== 0) {
    const names = namesOf(container, readConfig(target.storage, container.id).hostname);
    const records = attachRecords(network, attachment, names, container.spec.hosts.dnsServers);
    const own = hostsRecords(target, container, names);
    const pidFile = pidFileOf(target, container, network.name);
    await runNet(target, container, pid, [...own, ...records], pidFile);
  }
  storeAttachments(target, container, [...before, attachment]);
  recordEvent(target.storage, 'connect', container);
}

/** Takes a container off a network, at once when it runs. @throws TsmanError */
export async function disconnectContainer(
  target: CreateTarget,
  container: Container,
  network: Network,
): Promise<void> {
  const before = bridgeAttachments(container);
  if (!before.some((other) => other.network === network.name))
    throw new TsmanError(`container ${container.name} is not on network ${network.name}`);
  const { pid } = readState(target.directories, container.id);
  if (pid !== 0) {
    const lease = readLeases(target.directories).find(
      (one) => one.containerID === container.id && one.network === network.name,
    );
    await runNet(target, container, pid, [['detach-network', network.name]], '');
    forgetAddresses(target, container, lease?.addresses ?? []);
    endProcessOf(pidFileOf(target, container, network.name));
  }
  const left = before.filter((other) => other.network !== network.name);
  storeAttachments(target, container, left);
  recordEvent(target.storage, 'disconnect', container);
}

function bridgeAttachments(container: Container): readonly NetworkAttachment[] {
  if (container.spec.networkMode !== 'bridge')
    throw new TsmanError(
      `container ${container.name} has network mode ${container.spec.networkMode}, which cannot be changed`,
      {
        hint: 'only containers on the default network or on one made by tsman network create can join and leave networks',
      },
    );
  return container.spec.networks ?? [];
}

function storeAttachments(
  { storage }: CreateTarget,
  container: Container,
  networks: readonly NetworkAttachment[],
): void {
  updateContainerSpec(storage, container.id, JSON.stringify({ ...container.spec, networks }));
}

/** The file that names the process which serves a network that was joined while the container ran. */
export function pidFileOf(target: CreateTarget, container: Container, network: string): string {
  return `${runDirectory(target.directories, container.id)}/net-${network}.pid`;
}

function forgetAddresses(
  target: CreateTarget,
  container: Container,
  addresses: readonly string[],
): void {
  const gone = addresses.map((address) => `${address.split('/')[0]} `);
  forgetHosts(target, container, (line) => gone.some((start) => line.startsWith(start)));
}

/** In the file that the container sees as /etc/hosts: written in place, for it is bound there. */
export function forgetHosts(
  target: CreateTarget,
  container: Container,
  isGone: (line: string) => boolean,
): void {
  const path = `${runDirectory(target.directories, container.id)}/hosts`;
  const lines = (readIfExists(path) ?? '').split('\n');
  const left = lines.filter((line) => !isGone(line));
  if (left.length < lines.length) fs.writeFileSync(path, left.join('\n'));
}

/** The process that served only this network; one started with the container serves all of that time. */
function endProcessOf(pidFile: string): void {
  const pid = Number(readIfExists(pidFile) ?? 0);
  fs.rmSync(pidFile, { force: true });
  if (pid > 1 && readIfExists(`/proc/${pid}/comm`)?.trim() === 'tsman-net') process.kill(pid);
}

/** Runs the helper's verb `net` for a running container. @throws TsmanError */
export async function runNet(
  target: CreateTarget,
  container: Container,
  pid: number,
  records: readonly PlanRecord[],
  pidFile: string,
): Promise<void> {
  const plan = livePlanPath(target, container);
  const leadsOut = records.some(([name, , , kind]) => name === 'network' && kind === 'external');
  const hub = hubRecords(
    { ...target, containerID: container.id },
    leadsOut || records.length === 0,
  );
  writePlan(plan, [...hub, ...records]);
  const places = [pidFile, `/proc/${pid}/ns/net`, `/proc/${pid}/ns/user`];
  const child = spawn(helperPath(), ['net', plan, ...places], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) => reject(new TsmanError(`run ${helperPath()}`, { cause })));
    child.on('close', resolve);
  });
  if (code !== 0)
    throw new TsmanError(
      `network of container ${container.name}: ${said.trim().replace(/^tsman-helper: /, '')}`,
    );
}
