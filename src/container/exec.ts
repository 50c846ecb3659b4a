import { TsmanError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import type { PlanRecord } from '../helper/plan.ts';
import { becomeHelper, explainRecord, writePlan } from '../helper/run.ts';
import { usernsRecords } from '../rootless/id-map.ts';
import { oneShotPlanPath } from './attach.ts';
import { joinCgroup } from './cgroup/cgroup.ts';
import type { CreateTarget } from './create.ts';
import { buildEnvironment } from './environment.ts';
import { eventsPath } from './events/events.ts';
import { secretEnvironment } from './mounts/secrets.ts';
import { processSteps } from './plan.ts';
import { type Container, readConfig } from './record.ts';
import { ALL_CAPABILITIES } from './security/capabilities.ts';
import { seccompProgram } from './security/seccomp.ts';
import { containerDirectory, readState } from './state.ts';

export interface ExecRequest {
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly envFiles: readonly string[];
  /** Undefined = the container's. */
  readonly user: string | undefined;
  readonly workdir: string | undefined;
  readonly terminal: boolean;
  readonly interactive: boolean;
  readonly detach: boolean;
  readonly privileged: boolean;
  readonly sigProxy: boolean;
  /** Our descriptors 3 to 2+N go to the command. */
  readonly preservedFds: number;
  readonly detachKeys: Buffer | undefined;
}

/**
 * Runs a command in a running container by becoming the helper: one process that joins the
 * container's namespaces and confinement. Nothing is written to the database.
 * @returns the exit status, where the runtime cannot become another program
 */
export async function execAndBecome(
  target: CreateTarget,
  container: Container,
  request: ExecRequest,
): Promise<number> {
  const state = readState(target.directories, container.id);
  if (state.pid === 0) {
    throw new TsmanError(`container ${container.name} is not running`, {
      hint: `start it first: tsman start ${container.name}`,
    });
  }
  if (state.status === 'paused') {
    throw new TsmanError(`container ${container.name} is paused`, {
      hint: `let it go on first: tsman unpause ${container.name}`,
    });
  }
  const path = oneShotPlanPath(target.directories.runRoot);
  const session = randomHex(32);
  const records: PlanRecord[] = [
    ['id', container.id],
    explainRecord(target.directories, 'exec', container.name),
    ...usernsRecords(target.userns, target.directories.runRoot),
    ['target', state.pid, state.startTime],
    ...joinCgroup(container, state),
    ...(request.terminal ? [['terminal', 0, 0] as const] : []),
    ['events', eventsPath(target.storage)],
    ['exec-id', session],
    ...(request.interactive && !request.detach ? [['stdin', 'open'] as const] : []),
    // Podman prints the session's ID too; `events` tells by it how the command ended.
    ...(request.detach ? [['detach'] as const, ['announce', session] as const] : []),
    ...(request.sigProxy && !request.detach ? [['sig-proxy'] as const] : []),
    ...(request.preservedFds === 0 ? [] : [['preserve-fds', request.preservedFds] as const]),
    ...(request.detachKeys === undefined || !request.terminal
      ? []
      : [['detach-keys', request.detachKeys.toString('hex')] as const]),
    ...execSteps(target, container, request),
  ];
  writePlan(path, records);
  return await becomeHelper('exec', path, request.preservedFds);
}

/** The steps of a command in the container's confinement: `exec`, and the probes of health checks. */
export function execSteps(
  target: CreateTarget,
  container: Container,
  request: Pick<
    ExecRequest,
    'command' | 'env' | 'envFiles' | 'user' | 'workdir' | 'terminal' | 'privileged'
  >,
): PlanRecord[] {
  const config = readConfig(target.storage, container.id);
  const { process: own } = config;
  const extra = buildEnvironment(
    {
      env: request.env,
      envFiles: request.envFiles,
      envHost: false,
      unset: [],
      unsetAll: true,
      httpProxy: false,
    },
    [],
    request.terminal ? ['TERM=xterm'] : [],
    process.env,
  );
  const env = mergeEnvironment(own.env, [...(request.terminal ? ['TERM=xterm'] : []), ...extra]);
  const capabilities = request.privileged
    ? {
        bounding: ALL_CAPABILITIES,
        effective: ALL_CAPABILITIES,
        permitted: ALL_CAPABILITIES,
        inheritable: [],
        ambient: [],
      }
    : own.capabilities;
  const merged = {
    ...config,
    process: { ...own, env, ...(capabilities === undefined ? {} : { capabilities }) },
  };
  // `--privileged` lifts the capabilities; the container's seccomp profile stays, as with Podman.
  const program = seccompProgram(
    target.directories.dataRoot,
    container.spec.seccomp,
    own.capabilities?.bounding ?? [],
  );
  const identity = {
    user: request.user ?? container.spec.user,
    groups: request.user === undefined ? container.spec.groups : [],
    keepGroups: request.user === undefined && container.spec.keepGroups,
  };
  const { personality } = container.spec;
  return [
    ...(personality === undefined ? [] : [['personality', personality.toString(16)] as const]),
    ...processSteps(merged, identity, program),
    ...secretEnvironment(
      containerDirectory(target.directories, container.id),
      container.spec.secrets,
    ),
    ['cwd', request.workdir ?? own.cwd, ''],
    ['exec', ...request.command],
  ];
}

/** The later list wins, key by key. */
function mergeEnvironment(base: readonly string[], extra: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of [...base, ...extra]) merged.set(entry.slice(0, entry.indexOf('=')), entry);
  return [...merged.values()];
}
