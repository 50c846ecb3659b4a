/** The headings under which --help lists the options of run and create, and what stands below each. */
const GROUPS: readonly (readonly [heading: string, options: string])[] = [
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

const HEADINGS = new Map(
  GROUPS.flatMap(([heading, options]) =>
    options.split(' ').map((key): [string, string] => [key, heading]),
  ),
);

/** With this many options a plain list is no help. */
const MANY = 40;

function headingOf(key: string): string {
  return HEADINGS.get(key) ?? (key.startsWith('health') ? 'Health' : 'Other options');
}

/** The options of a command below headings; a single heading where there are few. */
export function groupOptions<Option extends readonly [key: string, spec: unknown]>(
  options: readonly Option[],
): [heading: string, options: Option[]][] {
  if (options.length < MANY) return [['Options', [...options]]];
  const groups = new Map<string, Option[]>(GROUPS.map(([heading]) => [heading, []]));
  for (const option of options) {
    const heading = headingOf(option[0]);
    const group = groups.get(heading) ?? [];
    group.push(option);
    groups.set(heading, group);
  }
  return [...groups].filter(([, group]) => group.length > 0);
}
