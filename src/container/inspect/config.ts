import type { RuntimeConfig } from '../../oci/runtime-config.ts';
import type { HealthProbe, HealthSettings } from '../health/health.ts';
import { DEFAULT_START_INTERVAL_MS } from '../health/request.ts';
import type { Container } from '../record.ts';

/** `Config` of `inspect`: what the image says too. */
export function inspectConfig(
  container: Container,
  { process, domainname = '' }: RuntimeConfig,
  hostname: string,
): Record<string, unknown> {
  const { spec } = container;
  return {
    Hostname: hostname,
    Domainname: domainname,
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
    ...(spec.isHealthOff === true
      ? { Healthcheck: { Test: ['NONE'] } }
      : inspectHealthcheck(spec.health)),
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
      ...unlessZero('StartPeriod', health.startPeriodMs),
      ...(health.startIntervalMs === DEFAULT_START_INTERVAL_MS
        ? {}
        : unlessZero('StartInterval', health.startIntervalMs)),
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
    ...unlessZero('Interval', probe.intervalMs),
    ...unlessZero('Timeout', probe.timeoutMs),
    Retries: probe.retries,
  };
}

/** Images count in nanoseconds, and have no zeros. */
function unlessZero(name: string, ms: number): Record<string, number> {
  return ms === 0 ? {} : { [name]: ms * 1e6 };
}
