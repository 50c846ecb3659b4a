import { TsmanError } from '../base/error.ts';
import { writeAtomically } from '../base/file.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import { updateContainerSpec } from '../storage/containers.ts';
import { changeLimits } from './cgroup/cgroup.ts';
import type { Rlimit } from './cgroup/limits.ts';
import { mergeLimits, type Resources } from './cgroup/resources.ts';
import type { CreateTarget } from './create.ts';
import { recordEvent } from './events/events.ts';
import type { HealthSettings } from './health/health.ts';
import { type Container, readConfig } from './record.ts';
import type { RestartPolicy } from './restart-policy.ts';
import { containerDirectory, readState } from './state.ts';
import { changePolicy } from './wanted.ts';

export interface ContainerUpdate {
  readonly restart: RestartPolicy | undefined;
  /** `KEY=VALUE` */
  readonly env: readonly string[];
  readonly unsetEnv: readonly string[];
  readonly rlimits: readonly Rlimit[];
  /** Of a container that runs they hold at once. */
  readonly resources: Resources | undefined;
  /** What becomes of its health check; undefined = it stays. */
  readonly health:
    | ((old: HealthSettings | undefined) => { readonly settings: HealthSettings | undefined })
    | undefined;
}

/**
 * Changes what the next start does, and the limits of one that runs. The configuration is replaced
 * whole, then the record.
 * @returns whether a new restart policy holds already, when the container runs
 */
export function updateContainer(
  target: CreateTarget,
  container: Container,
  update: ContainerUpdate,
): { readonly isNow: boolean } {
  if (update.restart !== undefined && container.autoRemove && update.restart.name !== 'no')
    throw new TsmanError(`container ${container.name} was made with --rm: it cannot restart`);
  const resources = mergeLimits(container.spec.resources, update.resources);
  const state = readState(target.directories, container.id);
  if (update.resources !== undefined && resources !== undefined && state.pid !== 0)
    changeLimits(container, state, resources);
  const config = readConfig(target.storage, container.id);
  const changed = withUpdate(config, update);
  const path = `${containerDirectory(target.directories, container.id)}/config.json`;
  writeAtomically(path, JSON.stringify(changed));
  const { restart } = update;
  const health = update.health?.(container.spec.health);
  if (restart !== undefined || update.resources !== undefined || health !== undefined) {
    const spec = {
      ...container.spec,
      ...(restart === undefined ? {} : { restart }),
      ...(resources === undefined ? {} : { resources }),
      ...(health === undefined
        ? {}
        : { health: health.settings, isHealthOff: health.settings === undefined }),
    };
    updateContainerSpec(target.storage, container.id, JSON.stringify(spec));
  }
  const isNow =
    restart === undefined ||
    state.monitorPid === 0 ||
    changePolicy(target.directories, container.id, container.spec.restart, restart);
  recordEvent(target.storage, 'update', container);
  return { isNow };
}

function withUpdate(config: RuntimeConfig, update: ContainerUpdate): RuntimeConfig {
  const env = new Map(config.process.env.map((entry) => [keyOf(entry), entry] as const));
  for (const key of update.unsetEnv) env.delete(key);
  for (const entry of update.env) env.set(keyOf(entry), entry);
  const own = new Set(update.rlimits.map(({ type }) => type));
  const kept = (config.process.rlimits ?? []).filter(({ type }) => !own.has(type));
  return {
    ...config,
    process: { ...config.process, env: [...env.values()], rlimits: [...kept, ...update.rlimits] },
  };
}

function keyOf(entry: string): string {
  return entry.slice(0, entry.indexOf('='));
}
