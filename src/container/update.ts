import { TsmanError } from '../base/error.ts';
import { writeAtomically } from '../base/file.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import { updateContainerSpec } from '../storage/containers.ts';
import type { CreateTarget } from './create.ts';
import { recordEvent } from './events.ts';
import type { Rlimit } from './limits.ts';
import { type Container, readConfig } from './record.ts';
import type { RestartPolicy } from './restart-policy.ts';
import { containerDirectory } from './state.ts';

export interface ContainerUpdate {
  readonly restart: RestartPolicy | undefined;
  /** `KEY=VALUE` */
  readonly env: readonly string[];
  readonly unsetEnv: readonly string[];
  readonly rlimits: readonly Rlimit[];
}

/** Changes what the next start does. The configuration is replaced whole, then the record. */
export function updateContainer(
  target: CreateTarget,
  container: Container,
  update: ContainerUpdate,
): void {
  if (update.restart !== undefined && container.autoRemove && update.restart.name !== 'no')
    throw new TsmanError(`container ${container.name} was made with --rm: it cannot restart`);
  const config = readConfig(target.storage, container.id);
  const changed = withUpdate(config, update);
  const path = `${containerDirectory(target.directories, container.id)}/config.json`;
  writeAtomically(path, JSON.stringify(changed));
  if (update.restart !== undefined) {
    const spec = { ...container.spec, restart: update.restart };
    updateContainerSpec(target.storage, container.id, JSON.stringify(spec));
  }
  recordEvent(target.storage, 'update', container);
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
