import { readlinkSync } from 'node:fs';
import type { Container } from '../../container/record.ts';
import type { ContainerState } from '../../container/state.ts';
import type { PortMapping } from '../../network/ports.ts';
import { compactSize, humanDuration } from '../../output/units.ts';
import type { ContainerSize } from './container-size.ts';

/** A line of `ps`: the fields that templates for Docker and Podman use. */
export interface PsRow {
  readonly ID: string;
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  readonly CreatedAt: string;
  readonly CreatedHuman: string;
  readonly RunningFor: string;
  readonly Status: string;
  readonly State: string;
  readonly Ports: string;
  readonly Names: string;
  readonly Labels: string;
  /** One label's value, as Docker's `{{.Label "name"}}`. */
  Label(name: string): string;
  readonly Mounts: string;
  readonly Networks: string;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Created: string;
  /** Empty when nobody asked: measuring takes long. */
  readonly Size: string;
  readonly Restarts: number;
  readonly Exited: boolean;
  readonly Pod: string;
  readonly PodName: string;
  /** Inode numbers by the names of /proc/PID/ns; read when asked for. */
  readonly Namespaces: Readonly<Record<string, string>>;
}

/** What `table {{.X}}` prints above its columns. */
export const HEADERS = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  ImageID: 'IMAGE ID',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  CreatedHuman: 'CREATED',
  RunningFor: 'CREATED',
  Created: 'CREATED',
  Status: 'STATUS',
  State: 'STATE',
  Ports: 'PORTS',
  Names: 'NAMES',
  Labels: 'LABELS',
  Label: (name: string) => name,
  Mounts: 'MOUNTS',
  Networks: 'NETWORKS',
  Pid: 'PID',
  ExitCode: 'EXIT CODE',
  Size: 'SIZE',
  Restarts: 'RESTARTS',
  Exited: 'EXITED',
  Pod: 'POD ID',
  PodName: 'PODNAME',
};

const COMMAND_WIDTH = 20;

export function psRow(
  container: Container,
  state: ContainerState,
  isWhole: boolean,
  size: ContainerSize | undefined,
): PsRow {
  const { spec } = container;
  const command = [...spec.entrypoint, ...spec.command].join(' ');
  const age = `${humanDuration(Date.now() - Date.parse(container.createdAt))} ago`;
  return {
    ID: isWhole ? container.id : container.id.slice(0, 12),
    Image: spec.imageName,
    ImageID: container.imageID ?? '',
    Command:
      isWhole || command.length <= COMMAND_WIDTH
        ? command
        : `${command.slice(0, COMMAND_WIDTH - 3)}...`,
    CreatedAt: container.createdAt,
    Created: container.createdAt,
    CreatedHuman: age,
    RunningFor: age,
    Status: statusText(state),
    State: state.status,
    Ports: spec.ports.map(portText).join(', '),
    Names: container.name,
    Labels: Object.entries(spec.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (name) => spec.labels[name] ?? '',
    Mounts: spec.volumes.map((volume) => volume.destination).join(','),
    Networks: networkNames(spec),
    Pid: state.pid,
    ExitCode: state.exitCode ?? 0,
    Size: sizeText(size),
    Restarts: state.restarts,
    Exited: state.status === 'exited',
    ...{ Pod: '', PodName: '' },
    get Namespaces() {
      return readNamespaces(state.pid);
    },
  };
}

/** `5B (virtual 78.1MB)`, Podman's words. */
function networkNames({ networkMode, networks = [] }: Container['spec']): string {
  if (networkMode === 'private') return 'pasta';
  if (networkMode !== 'bridge') return networkMode;
  return networks.map(({ network }) => network).join(',');
}

function sizeText(size: ContainerSize | undefined): string {
  if (size === undefined) return '';
  return `${compactSize(size.ownBytes)} (virtual ${compactSize(size.totalBytes)})`;
}

function readNamespaces(pid: number): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of pid === 0 ? [] : ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts']) {
    try {
      found[name] = /\d+/.exec(readlinkSync(`/proc/${pid}/ns/${name}`))?.[0] ?? '';
    } catch {
      // It has just ended.
    }
  }
  return found;
}

/** `Up 3 minutes`, `Exited (0) 2 hours ago`, `Created`. */
function statusText(state: ContainerState): string {
  const since = (date: Date | undefined): string =>
    humanDuration(Date.now() - (date?.getTime() ?? Date.now()));
  if (state.status === 'created') return 'Created';
  if (state.status === 'exited')
    return `Exited (${state.exitCode ?? 0}) ${since(state.finishedAt)} ago`;
  if (state.status === 'restarting')
    return `Restarting (${state.exitCode ?? 0}) ${since(state.finishedAt)} ago`;
  return `Up ${since(state.startedAt)}${healthText(state)}${state.status === 'paused' ? ' (Paused)' : ''}`;
}

/** `0.0.0.0:8080->80/tcp`, ranges as `8080-8082->80-82/tcp`. */
export function portText(port: PortMapping): string {
  const range = (first: number): string =>
    port.range === 1 ? String(first) : `${first}-${first + port.range - 1}`;
  const address =
    port.hostIP === '' ? '0.0.0.0' : port.hostIP.includes(':') ? `[${port.hostIP}]` : port.hostIP;
  return `${address}:${range(port.hostPort)}->${range(port.containerPort)}/${port.protocol}`;
}

/** ` (healthy)`, ` (health: starting)`, as Docker. */
function healthText({ health }: ContainerState): string {
  if (health === undefined) return '';
  return health === 'starting' ? ' (health: starting)' : ` (${health})`;
}
