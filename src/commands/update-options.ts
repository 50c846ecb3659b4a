import type { OptionSpecs } from './command.ts';
import { refused } from './refused-options.ts';

const NO_HEALTH =
  'the health check of a container that exists cannot be changed; make it anew with --replace';

/** Options of `podman update` that cannot be honoured. */
export const REFUSED_UPDATE_OPTIONS = {
  cpuRtPeriod: refused('realtime limits exist in cgroup v1 only, and for root'),
  cpuRtRuntime: refused('realtime limits exist in cgroup v1 only, and for root'),
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
  memorySwappiness: refused('cgroup v2 has no such setting'),
  noHealthcheck: refused(NO_HEALTH, true),
} as const satisfies OptionSpecs;
