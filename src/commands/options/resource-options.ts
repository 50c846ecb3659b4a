import type { OptionSpecs } from '../command.ts';

/** Limits by a cgroup, of `run`, `create` and `update`. */
export const RESOURCE_OPTIONS = {
  blkioWeight: { kind: 'text', value: 'N', help: 'weight of its disk traffic, 10 to 1000' },
  blkioWeightDevice: { kind: 'list', value: 'DEVICE:N', help: 'the same for one disk' },
  cpuPeriod: {
    kind: 'text',
    value: 'MICROSECONDS',
    help: 'what --cpu-quota is of',
    defaultText: '100000',
  },
  cpuQuota: { kind: 'text', value: 'MICROSECONDS', help: 'CPU time in each --cpu-period' },
  cpuShares: {
    kind: 'text',
    short: 'c',
    value: 'N',
    help: 'weight when processors are short; 1024 is usual',
  },
  cpus: { kind: 'text', value: 'NUMBER', help: 'so many processors at most, e.g. 1.5' },
  cpusetCpus: { kind: 'text', value: 'LIST', help: 'run on these processors, e.g. 0-2,5' },
  cpusetMems: { kind: 'text', value: 'LIST', help: 'use memory of these NUMA nodes' },
  deviceReadBps: { kind: 'list', value: 'DEVICE:SIZE', help: 'bytes read per second' },
  deviceReadIops: { kind: 'list', value: 'DEVICE:N', help: 'reads per second' },
  deviceWriteBps: { kind: 'list', value: 'DEVICE:SIZE', help: 'bytes written per second' },
  deviceWriteIops: { kind: 'list', value: 'DEVICE:N', help: 'writes per second' },
  memory: { kind: 'text', short: 'm', value: 'SIZE', help: 'memory, e.g. 512m' },
  memoryReservation: {
    kind: 'text',
    value: 'SIZE',
    help: 'memory that is left to it when memory is short',
  },
  memorySwap: {
    kind: 'text',
    value: 'SIZE',
    help: 'memory and swap together, -1 = all swap',
    defaultText: 'twice --memory',
  },
  pidsLimit: {
    kind: 'text',
    value: 'N',
    help: 'so many processes and threads at most, -1 = any',
    defaultText: '2048',
  },
} as const satisfies OptionSpecs;

/** Where the cgroup is, of `run` and `create`. */
export const CGROUP_OPTIONS = {
  cgroupConf: { kind: 'list', value: 'FILE=VALUE', help: "write to a file of its cgroup's" },
  cgroupParent: {
    kind: 'text',
    value: 'PATH',
    help: 'cgroup to make its own in, or a slice of your systemd',
  },
  cgroups: {
    kind: 'text',
    value: 'HOW',
    help: 'how its cgroup is made; enabled insists on one of its own',
    choices: ['enabled', 'disabled', 'no-conmon', 'split'],
  },
} as const satisfies OptionSpecs;
