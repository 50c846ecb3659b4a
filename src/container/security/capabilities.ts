import { UsageError } from '../../base/error.ts';

/** Every capability in the order of its number, capabilities(7). */
const ALL = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

/** Podman's default set (containers.conf(5), default_capabilities). */
const DEFAULT = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

export const ALL_CAPABILITIES: readonly string[] = ALL.map((name) => `CAP_${name}`);

/**
 * The set that `--cap-add`, `--cap-drop` and `--privileged` leave, as `CAP_…` names in number order.
 * Like Podman: `all` may be dropped or added, an added one wins over a dropped `all`.
 * @throws UsageError for a name the kernel does not have
 */
export function resolveCapabilities(
  add: readonly string[],
  drop: readonly string[],
  privileged: boolean,
): string[] {
  const added = add.flatMap(split).map(normalise);
  const dropped = drop.flatMap(split).map(normalise);
  for (const name of added) {
    if (name !== 'ALL' && dropped.includes(name))
      throw new UsageError(`capability ${name} cannot be both added and dropped`);
  }
  const set = new Set<string>(
    privileged || added.includes('ALL') ? ALL : dropped.includes('ALL') ? [] : DEFAULT,
  );
  for (const name of added) set.add(name);
  for (const name of dropped) set.delete(name);
  return ALL.filter((name) => set.has(name)).map((name) => `CAP_${name}`);
}

function split(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function normalise(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  if (name === 'ALL' || (ALL as readonly string[]).includes(name)) return name;
  throw new UsageError(`unknown capability ${JSON.stringify(text)}`, {
    hint: 'names are those of capabilities(7), with or without CAP_',
  });
}

/** The bits of a set of `CAP_…` names as hexadecimal, as in /proc/PID/status. */
export function capabilityMask(names: readonly string[]): string {
  let mask = 0n;
  for (const name of names) mask |= 1n << BigInt(ALL_CAPABILITIES.indexOf(name));
  return mask.toString(16);
}

/** A mask of /proc/PID/status as psgo shows it: `full`, `none`, or names joined by commas. */
export function capabilityNames(hex: string): string {
  const mask = BigInt(`0x${hex.trim() === '' ? '0' : hex.trim()}`);
  const names = ALL.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n);
  if (names.length === 0) return 'none';
  return names.length === ALL.length ? 'full' : names.join(',');
}
