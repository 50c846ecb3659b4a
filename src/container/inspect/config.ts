import type { HealthProbe, HealthSettings } from '../health/health.ts';
import type { Container } from '../record.ts';

/** `Config` of `inspect`: what the image says too. */
export function inspectConfig(
  container: Container,
  process: {
    readonly env: readonly string[];
    readonly cwd: string;
    readonly user: { readonly umask?: number };
  },
  hostname: string,
): Record<string, unknown> {
  const { spec } = container;
  return {
    Hostname: hostname,
    Domainname: '',
    User: spec.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: spec.terminal,
    OpenStdin: spec.openStdin,
    StdinOnce: false,
    Env: process.env,
    Cmd: spec.command,
    Image: spec.imageName,
    Secrets: (spec.secrets ?? []).map(({ id, name, uid, gid, mode }) => ({
      ...{ Name: name, ID: id, UID: uid, GID: gid, Mode: mode },
    })),
    Volumes: null,
    WorkingDir: process.cwd,
    Entrypoint: spec.entrypoint,
    OnBuild: null,
    Labels: spec.labels,
    Annotations: spec.annotations,
    StopSignal: spec.stopSignal,
    CreateCommand: spec.createCommand,
    Umask: (process.user.umask ?? 0o22).toString(8).padStart(4, '0'),
    Timeout: spec.timeoutSeconds,
    StopTimeout: spec.stopTimeoutSeconds,
    sdNotifyMode: spec.sdnotify ?? 'container',
    ...inspectHealthcheck(spec.health),
    ExposedPorts: Object.fromEntries(
      spec.exposedPorts.map((name) => [name.includes('/') ? name : `${name}/tcp`, {}]),
    ),
  };
}

/** As Podman writes them, in nanoseconds like an image's HEALTHCHECK; nothing without a check. */
function inspectHealthcheck(health: HealthSettings | undefined): Record<string, unknown> {
  if (health === undefined) return {};
  const { startup } = health;
  return {
    Healthcheck: {
      ...inspectProbe(health),
      StartPeriod: nanoseconds(health.startPeriodMs),
      StartInterval: nanoseconds(health.startIntervalMs),
    },
    HealthcheckOnFailureAction: health.onFailure,
    HealthLogDestination: health.logDirectory ?? 'local',
    HealthcheckMaxLogCount: health.maxLogCount,
    HealthcheckMaxLogSize: health.maxLogSizeBytes,
    ...(startup === undefined
      ? {}
      : { StartupHealthCheck: { ...inspectProbe(startup), Successes: startup.successes } }),
  };
}

function inspectProbe(probe: HealthProbe): Record<string, unknown> {
  return {
    Test: probe.test,
    Interval: nanoseconds(probe.intervalMs),
    Timeout: nanoseconds(probe.timeoutMs),
    Retries: probe.retries,
  };
}

function nanoseconds(ms: number): number {
  return ms * 1e6;
}
