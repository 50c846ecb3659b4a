import type { OptionSpecs } from './command.ts';
import { refused } from './refused-options.ts';

const NO_LIMITS = 'limits by cgroups are not supported yet';
const NO_PODS = 'pods do not exist yet';
const CGROUP_V1 = 'cgroup v2 has no such setting';

/** Options of `podman run` and `docker run` that cannot be honoured, each with its reason. */
export const REFUSED_CONTAINER_OPTIONS = {
  blkioWeight: refused(NO_LIMITS),
  blkioWeightDevice: refused(NO_LIMITS),
  cgroupConf: refused(NO_LIMITS),
  cgroupParent: refused(NO_LIMITS),
  cgroups: refused(NO_LIMITS),
  cpuPeriod: refused(NO_LIMITS),
  cpuQuota: refused(NO_LIMITS),
  cpuShares: { ...refused(NO_LIMITS), short: 'c' },
  cpus: refused(NO_LIMITS),
  cpusetCpus: refused(NO_LIMITS),
  cpusetMems: refused(NO_LIMITS),
  deviceReadBps: refused(NO_LIMITS),
  deviceReadIops: refused(NO_LIMITS),
  deviceWriteBps: refused(NO_LIMITS),
  deviceWriteIops: refused(NO_LIMITS),
  memory: { ...refused(NO_LIMITS), short: 'm' },
  memoryReservation: refused(NO_LIMITS),
  memorySwap: refused(NO_LIMITS),
  pidsLimit: refused(NO_LIMITS),
  sdnotify: refused('readiness is not passed on to systemd yet'),
  cpuRtPeriod: refused('realtime limits exist in cgroup v1 only, and for root'),
  cpuRtRuntime: refused('realtime limits exist in cgroup v1 only, and for root'),
  decryptionKey: refused('encrypted images are not supported'),
  deviceCgroupRule: refused(
    'a user namespace may not load device rules; what is not bound by --device is out of reach anyway',
  ),
  initCtr: refused(NO_PODS),
  link: refused("links are Docker's past; give both containers --network container:NAME"),
  linkLocalIp: refused("link-local addresses are the kernel's own"),
  memorySwappiness: refused(CGROUP_V1),
  oomKillDisable: refused(CGROUP_V1, true),
  pod: refused(NO_PODS),
  podIdFile: refused(NO_PODS),
  rdtClass: refused('only root may use resctrl'),
  runtime: refused('tsman runs containers itself, without crun or runc'),
  storageOpt: refused('quotas need a file system mounted with pquota, by root'),
  useApiSocket: refused('there is no daemon whose socket could be given', true),
  volumeDriver: refused('volume plugins do not exist'),
} as const satisfies OptionSpecs;
