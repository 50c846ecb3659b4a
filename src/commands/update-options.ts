import type { OptionSpecs } from './command.ts';
import { refused } from './refused-options.ts';

const NO_LIMITS = 'limits by cgroups are not supported yet';
const NO_HEALTH =
  'the health check of a container that exists cannot be changed; make it anew with --replace';

/** Options of `podman update` that cannot be honoured. */
export const REFUSED_UPDATE_OPTIONS = {
  blkioWeight: refused(NO_LIMITS),
  blkioWeightDevice: refused(NO_LIMITS),
  cpuPeriod: refused(NO_LIMITS),
  cpuQuota: refused(NO_LIMITS),
  cpuRtPeriod: refused('realtime limits exist in cgroup v1 only, and for root'),
  cpuRtRuntime: refused('realtime limits exist in cgroup v1 only, and for root'),
  cpuShares: { ...refused(NO_LIMITS), short: 'c' },
  cpus: refused(NO_LIMITS),
  cpusetCpus: refused(NO_LIMITS),
  cpusetMems: refused(NO_LIMITS),
  deviceReadBps: refused(NO_LIMITS),
  deviceReadIops: refused(NO_LIMITS),
  deviceWriteBps: refused(NO_LIMITS),
  deviceWriteIops: refused(NO_LIMITS),
  healthCmd: refused(NO_HEALTH),
  healthInterval: refused(NO_HEALTH),
  healthLogDestination: refused(NO_HEALTH),
  healthMaxLogCount: refused(NO_HEALTH),
  healthMaxLogSize: refused(NO_HEALTH),
  healthOnFailure: refused(NO_HEALTH),
  healthRetries: refused(NO_HEALTH),
  healthStartPeriod: refused(NO_HEALTH),
  healthStartupCmd: refused(NO_HEALTH),
  healthStartupInterval: refused(NO_HEALTH),
  healthStartupRetries: refused(NO_HEALTH),
  healthStartupSuccess: refused(NO_HEALTH),
  healthStartupTimeout: refused(NO_HEALTH),
  healthTimeout: refused(NO_HEALTH),
  memory: { ...refused(NO_LIMITS), short: 'm' },
  memoryReservation: refused(NO_LIMITS),
  memorySwap: refused(NO_LIMITS),
  memorySwappiness: refused('cgroup v2 has no such setting'),
  noHealthcheck: refused(NO_HEALTH, true),
  pidsLimit: refused(NO_LIMITS),
} as const satisfies OptionSpecs;
