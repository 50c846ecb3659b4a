import type { OptionSpecs } from '../command.ts';
import { refused } from './refused-options.ts';

/** Options of `podman update` that cannot be honoured. */
export const REFUSED_UPDATE_OPTIONS = {
  cpuRtPeriod: refused('realtime limits exist in cgroup v1 only, and for root'),
  cpuRtRuntime: refused('realtime limits exist in cgroup v1 only, and for root'),
  memorySwappiness: refused('cgroup v2 has no such setting'),
} as const satisfies OptionSpecs;
