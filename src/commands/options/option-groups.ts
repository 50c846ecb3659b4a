type Groups = readonly (readonly [heading: string, options: string])[];

/** The headings under which --help lists the options of run and create, and what stands below each. */
const GROUPS_OF_RUN: Groups = [
  [
    'What runs',
    'attach detach detachKeys entrypoint env envFile envHost envMerge unsetenv unsetenvAll httpProxy init initPath interactive tty user groupAdd workdir umask tz name hostname restart rm rmi replace stopSignal stopTimeout timeout sigProxy systemd sdnotify requires preserveFd preserveFds',
  ],
  [
    'Image',
    'pull platform arch os variant rootfs quiet authfile creds certDir tlsVerify retry retryDelay decryptionKey',
  ],
  [
    'Network',
    'network networkAlias publish publishAll expose dns dnsOption dnsSearch addHost ip ip6 macAddress noHosts noHostname hostsFile domainname',
  ],
  [
    'Files',
    'volume mount tmpfs volumesFrom imageVolume readOnly readOnlyTmpfs device secret shmSize shmSizeSystemd chrootdirs',
  ],
  [
    'Namespaces and security',
    'userns pid ipc uts cgroupns cgroupParent uidmap gidmap subuidname subgidname capAdd capDrop privileged securityOpt seccompPolicy sysctl passwd passwdEntry groupEntry hostuser personality',
  ],
  [
    'Resources',
    'memory memoryReservation memorySwap memorySwappiness cpus cpuShares cpuPeriod cpuQuota cpusetCpus cpusetMems pidsLimit ulimit oomScoreAdj oomKillDisable blkioWeight blkioWeightDevice deviceReadBps deviceWriteBps deviceReadIops deviceWriteIops storageOpt gpus cgroups cgroupConf',
  ],
  ['Health', 'noHealthcheck'],
  ['Records and logs', 'label labelFile annotation cidfile pidfile conmonPidfile logDriver logOpt'],
];

/** The same for every other command that has more than a few. */
const GROUPS: Groups = [
  ['Which', 'all cidfile filter ignore last latest running since until tail type'],
  ['Which image', 'platform arch os variant allTags policy'],
  [
    'Output',
    'color digests format human names noHeading noheading noTrunc ns pod progress quiet reverse size sort timestamps watch verbose json',
  ],
  ['Registry', 'authfile certDir creds tlsVerify retry retryDelay parallelCopies'],
  ['Processors', 'cpus cpuShares cpuPeriod cpuQuota cpusetCpus cpusetMems'],
  ['Memory', 'memory memoryReservation memorySwap'],
  [
    'Disks',
    'blkioWeight blkioWeightDevice deviceReadBps deviceWriteBps deviceReadIops deviceWriteIops',
  ],
  ['Addresses', 'subnet gateway ipRange ipv6 ipamDriver route ip ip6 macAddress'],
];

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1;

/** With no more than so many options a plain list is easier to read. */
const FEW = 8;
const MANY = 40;

/** The options of a command below headings; a single heading where there are few. */
export function groupOptions<Option extends readonly [key: string, spec: unknown]>(
  options: readonly Option[],
): [heading: string, options: Option[]][] {
  if (options.length <= FEW) return [['Options', [...options]]];
  const named = options.length < MANY ? GROUPS : GROUPS_OF_RUN;
  const headings = new Map(
    named.flatMap(([heading, keys]) => keys.split(' ').map((key) => [key, heading] as const)),
  );
  const groups = new Map<string, Option[]>(named.map(([heading]) => [heading, []]));
  for (const option of [...options].sort(byKey)) {
    const [key] = option;
    const heading = headings.get(key) ?? (key.startsWith('health') ? 'Health' : 'Other options');
    groups.set(heading, [...(groups.get(heading) ?? []), option]);
  }
  return [...groups].filter(([, group]) => group.length > 0);
}
