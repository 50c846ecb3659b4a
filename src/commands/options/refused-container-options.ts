import type { OptionSpecs } from '../command.ts';
import { refused } from './refused-options.ts';

const NO_PODS = 'pods do not exist yet';
const CGROUP_V1 = 'cgroup v2 has no such setting';

/** Options of `podman run` and `docker run` that cannot be honoured, each with its reason. */
export const REFUSED_CONTAINER_OPTIONS = {
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
