import type { Container } from '../../container/record.ts';
import type { ContainerState } from '../../container/state.ts';
import type { ContainerSize } from './container-size.ts';
import type { PsRow } from './ps-row.ts';

/** What a row was made from. */
export interface PsSource {
  readonly container: Container;
  readonly state: ContainerState;
  readonly size: ContainerSize | undefined;
}

/** A container as `podman ps --format json` has it (ListContainer in podman's pkg/domain/entities). */
export function psJson(row: PsRow, { container, state, size }: PsSource): object {
  const { id, name, autoRemove, createdAt, spec } = container;
  return {
    AutoRemove: autoRemove,
    Command: [...spec.entrypoint, ...spec.command],
    CreatedAt: row.CreatedHuman,
    Exited: row.Exited,
    ExitedAt: seconds(state.finishedAt),
    ExitCode: row.ExitCode,
    Id: id,
    Image: row.Image,
    ImageID: row.ImageID,
    IsInfra: false,
    Labels: spec.labels,
    Mounts: spec.volumes.map(({ destination }) => destination),
    Names: [name],
    Namespaces: row.Namespaces,
    Networks: (spec.networks ?? []).map(({ network }) => network),
    Pid: row.Pid,
    Pod: row.Pod,
    PodName: row.PodName,
    Ports: spec.ports.map(({ hostIP, hostPort, containerPort, range, protocol }) => ({
      host_ip: hostIP,
      container_port: containerPort,
      host_port: hostPort,
      range,
      protocol,
    })),
    Restarts: row.Restarts,
    Size: size === undefined ? null : { rootFsSize: size.totalBytes, rwSize: size.ownBytes },
    StartedAt: seconds(state.startedAt),
    State: row.State,
    Status: row.Status,
    Created: seconds(new Date(createdAt)),
  };
}

/** Seconds since 1970; what has not happened is Go's year 1, as with Podman. */
function seconds(date: Date | undefined): number {
  return date === undefined ? -62135596800 : Math.floor(date.getTime() / 1000);
}
