import { readIfExists } from '../../base/file.ts';
import type { Directories } from '../../rootless/directories.ts';
import { containerDirectory, type HealthStatus, readHealthStatus, runDirectory } from '../state.ts';

/** A command and when to run it. */
export interface HealthProbe {
  /** As in an image: `["CMD", WORD...]` or `["CMD-SHELL", COMMAND]`. */
  readonly test: readonly string[];
  /** 0 = only when asked. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
}

export interface HealthSettings extends HealthProbe {
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  /** Runs instead until it has succeeded `successes` times. */
  readonly startup?: HealthProbe & { readonly successes: number };
  readonly onFailure: 'none' | 'kill' | 'restart' | 'stop';
  /** A directory; undefined = the container's own. */
  readonly logDirectory: string | undefined;
  readonly maxLogCount: number;
  readonly maxLogSizeBytes: number;
}

/** `State.Health` of inspect, as in Docker and Podman. */
export interface Health {
  readonly Status: HealthStatus;
  readonly FailingStreak: number;
  readonly Log: readonly HealthResult[];
}

export interface HealthResult {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

/** Where the monitor writes the results of a container's probes. */
export function healthLogPath(
  directories: Directories,
  id: string,
  settings: Pick<HealthSettings, 'logDirectory'>,
): string {
  return settings.logDirectory === undefined
    ? `${containerDirectory(directories, id)}/health.log`
    : `${settings.logDirectory}/${id}-healthcheck.log`;
}

/** The health of a container and the last results of its probes; undefined when it has no check. */
export function readHealth(
  directories: Directories,
  id: string,
  settings: HealthSettings | undefined,
): Health | undefined {
  if (settings === undefined) return undefined;
  const path = healthLogPath(directories, id, settings);
  // The newer file has what came after the older one was full.
  const lines = `${readIfExists(`${path}.1`) ?? ''}${readIfExists(path) ?? ''}`
    .split('\n')
    .filter(Boolean);
  const kept = settings.maxLogCount === 0 ? lines : lines.slice(-settings.maxLogCount);
  const { status, failingStreak } = readHealthStatus(runDirectory(directories, id));
  return { Status: status ?? 'starting', FailingStreak: failingStreak, Log: kept.map(parseResult) };
}

function parseResult(line: string): HealthResult {
  const result = JSON.parse(line) as Omit<HealthResult, 'Start' | 'End'> &
    Record<'Start' | 'End', number>;
  return { ...result, Start: timeText(line, 'Start'), End: timeText(line, 'End') };
}

/** RFC 3339 with nanoseconds, which a number cannot hold. */
function timeText(line: string, key: string): string {
  const digits = new RegExp(`"${key}":(\\d+)`).exec(line)?.[1] ?? '0';
  const seconds = new Date(Number(digits.slice(0, -9)) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${digits.slice(-9).padStart(9, '0')}Z`;
}
