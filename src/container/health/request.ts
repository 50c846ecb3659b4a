import { TsmanError } from '../../base/error.ts';
import type { ContainerDefaults } from '../../oci/image.ts';
import type { HealthProbe, HealthSettings } from './health.ts';

/** What the user asked for; undefined = as the image says, or the default. */
export interface HealthRequest
  extends Pick<HealthSettings, 'onFailure' | 'logDirectory' | 'maxLogCount' | 'maxLogSizeBytes'> {
  readonly isOff: boolean;
  readonly test: HealthProbe['test'] | undefined;
  readonly intervalMs: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly retries: number | undefined;
  readonly startPeriodMs: number | undefined;
  readonly startIntervalMs: number | undefined;
  readonly startup: HealthSettings['startup'];
}

export type StartupProbe = NonNullable<HealthSettings['startup']>;

/** What `update` was asked for; undefined = as it was. */
export interface HealthChange
  extends Omit<
    HealthRequest,
    'onFailure' | 'logDirectory' | 'maxLogCount' | 'maxLogSizeBytes' | 'startup'
  > {
  readonly startup: Partial<StartupProbe>;
  readonly onFailure: HealthSettings['onFailure'] | undefined;
  readonly logDirectory: { readonly path: string | undefined } | undefined;
  readonly maxLogCount: number | undefined;
  readonly maxLogSizeBytes: number | undefined;
}

const DEFAULT_MS = 30_000;

export const STARTUP_DEFAULTS: Omit<StartupProbe, 'test'> = {
  intervalMs: DEFAULT_MS,
  timeoutMs: DEFAULT_MS,
  retries: 0,
  successes: 1,
};
export const DEFAULT_START_INTERVAL_MS = 5000;
const DEFAULT_RETRIES = 3;

/** The user's wishes over the image's HEALTHCHECK; undefined = the container has no check. */
export function mergeHealth(
  request: HealthRequest | undefined,
  image: ContainerDefaults['Healthcheck'],
): HealthSettings | undefined {
  if (isHealthOff(request, image)) return undefined;
  const test = request?.test ?? imageTest(image);
  if (test === undefined) {
    refuseWithoutCheck(request);
    return undefined;
  }
  return {
    test,
    intervalMs: request?.intervalMs ?? imageMs(image, 'Interval') ?? DEFAULT_MS,
    timeoutMs: request?.timeoutMs ?? imageMs(image, 'Timeout') ?? DEFAULT_MS,
    retries: request?.retries ?? (imageNumber(image, 'Retries') || DEFAULT_RETRIES),
    startPeriodMs: request?.startPeriodMs ?? imageMs(image, 'StartPeriod') ?? 0,
    startIntervalMs:
      request?.startIntervalMs ?? imageMs(image, 'StartInterval') ?? DEFAULT_START_INTERVAL_MS,
    ...(request?.startup === undefined ? {} : { startup: request.startup }),
    onFailure: request?.onFailure ?? 'none',
    logDirectory: request?.logDirectory,
    maxLogCount: request?.maxLogCount ?? 5,
    maxLogSizeBytes: request?.maxLogSizeBytes ?? 500,
  };
}

/** The user or the image wants none, which `inspect` shows as the test `NONE`. */
export function isHealthOff(
  request: Pick<HealthRequest, 'isOff' | 'test'> | undefined,
  image: ContainerDefaults['Healthcheck'],
): boolean {
  return request?.isOff === true || (request?.test ?? imageTest(image))?.[0] === 'NONE';
}

/** What would never happen is refused. */
function refuseWithoutCheck(request: HealthRequest | undefined): void {
  const hint = 'give --health-cmd too';
  if (request?.startup !== undefined)
    throw new TsmanError('option --health-startup-cmd: there is no health check', { hint });
  if (request !== undefined && request.onFailure !== 'none')
    throw new TsmanError('option --health-on-failure: there is no health check', { hint });
}

/** A health check after `update`; undefined = none. @throws TsmanError when there is none to change */
export function changeHealth(
  old: HealthSettings | undefined,
  change: HealthChange,
): HealthSettings | undefined {
  if (change.isOff) return undefined;
  const test = change.test ?? old?.test;
  if (test === undefined)
    throw new TsmanError('the container has no health check', { hint: 'give --health-cmd too' });
  const startup = changeStartup(old?.startup, change.startup);
  const { startup: _, ...before } = old ?? {};
  const defaults = mergeHealth({ ...change, ...NO_ACTION, test, startup: undefined }, undefined);
  const { logDirectory, isOff, ...values } = change;
  const given = Object.entries({ ...values, startup }).filter(([, value]) => value !== undefined);
  return {
    ...(defaults as HealthSettings),
    ...before,
    ...(Object.fromEntries(given) as Partial<HealthSettings>),
    ...(logDirectory === undefined ? {} : { logDirectory: logDirectory.path }),
  };
}

const NO_ACTION = {
  onFailure: 'none',
  logDirectory: undefined,
  maxLogCount: 5,
  maxLogSizeBytes: 500,
} as const;

function changeStartup(
  old: HealthSettings['startup'],
  change: Partial<StartupProbe>,
): HealthSettings['startup'] {
  const test = change.test ?? old?.test;
  if (test !== undefined) return { ...STARTUP_DEFAULTS, ...old, ...change, test };
  if (Object.keys(change).length > 0)
    throw new TsmanError('the container has no startup check', {
      hint: 'give --health-startup-cmd too',
    });
  return undefined;
}

/** An empty test means the base image's, which a finished image has already taken over. */
function imageTest(image: ContainerDefaults['Healthcheck']): string[] | undefined {
  const test = image?.['Test'];
  if (!Array.isArray(test) || test.length === 0) return undefined;
  return test.every((word) => typeof word === 'string') ? test : undefined;
}

function imageNumber(image: ContainerDefaults['Healthcheck'], key: string): number {
  const value = image?.[key];
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** Images count in nanoseconds; 0 means the default. */
function imageMs(image: ContainerDefaults['Healthcheck'], key: string): number | undefined {
  const nanoseconds = imageNumber(image, key);
  return nanoseconds === 0 ? undefined : Math.min(Math.ceil(nanoseconds / 1e6), 2 ** 32 - 1);
}
