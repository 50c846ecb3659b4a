import { UsageError } from '../../base/error.ts';
import { sysctlPath } from '../../container/plan.ts';
import { parsePairs } from './values.ts';

/** Namespaces whose settings `--sysctl` may change, when they are the container's own. */
export interface SysctlNamespaces {
  readonly ipc: string;
  readonly network: string;
}

const OF_IPC =
  /^(kernel\/(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\/mqueue\/.+)$/;
const OF_NETWORK = /^net\/.+$/;
const OPTIONS_INSTEAD: Readonly<Record<string, string>> = {
  'kernel/hostname': '--hostname',
  'kernel/domainname': '--domainname',
};

/**
 * `--sysctl NAME=VALUE`: what is not of a namespace of the container's own would be set for the
 * host by root, and for all containers of a user otherwise.
 * @throws UsageError
 */
export function parseSysctls(
  values: readonly string[],
  namespaces: SysctlNamespaces,
): Record<string, string> {
  const pairs = parsePairs('--sysctl', values);
  for (const name of Object.keys(pairs)) check(name, sysctlPath(name), namespaces);
  return pairs;
}

function check(name: string, path: string, { ipc, network }: SysctlNamespaces): void {
  const isPath = path.split('/').every((word) => !['', '.', '..'].includes(word));
  if (isPath && OF_IPC.test(path)) {
    if (ipc !== 'host') return;
    throw new UsageError(`option --sysctl ${name}: not with --ipc host, it would be the host's`);
  }
  if (isPath && OF_NETWORK.test(path)) {
    if (network !== 'host') return;
    throw new UsageError(
      `option --sysctl ${name}: not with --network host, it would be the host's`,
    );
  }
  const instead = OPTIONS_INSTEAD[path];
  throw new UsageError(`option --sysctl ${name}: not a setting of one container`, {
    hint:
      instead === undefined
        ? 'those are net.*, fs.mqueue.*, kernel.msg{max,mnb,mni}, kernel.sem and kernel.shm{all,max,mni,_rmid_forced}'
        : `use ${instead}`,
  });
}
