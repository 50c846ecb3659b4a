import * as fs from 'node:fs';
import { TsmanError, UsageError } from '../../base/error.ts';

type Options = Readonly<Record<string, string>>;

/** How the local driver provides a volume: its own directory, a tmpfs, or a directory of the host. */
export type VolumeType = 'local' | 'tmpfs' | 'bind';

/** Flags of mount(8) that a volume may carry; the container's own come on top. */
const FLAGS =
  /^(r?bind|ro|rw|noexec|exec|nosuid|suid|nodev|dev|noatime|relatime|r?(private|slave|shared))$/;
const TMPFS_DATA = /^(size=\d+[kmgKMG%]?|mode=[0-7]{3,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kmgKMG]?)$/;

export function volumeType(options: Options): VolumeType {
  if (options['type'] === 'tmpfs') return 'tmpfs';
  return options['device'] === undefined ? 'local' : 'bind';
}

/** The words of `o=`. */
export function volumeWords(options: Options): string[] {
  return (options['o'] ?? '').split(',').filter((word) => word !== '');
}

/** `o=uid=…,gid=…` of a volume with a directory of its own. */
export function ownerOption(options: Options): { uid: number; gid: number } | undefined {
  const words = volumeWords(options);
  const value = (key: string): number | undefined => {
    const word = words.find((candidate) => candidate.startsWith(`${key}=`));
    return word === undefined ? undefined : Number(word.slice(key.length + 1));
  };
  const [uid, gid] = [value('uid'), value('gid')];
  return uid === undefined && gid === undefined ? undefined : { uid: uid ?? 0, gid: gid ?? 0 };
}

/** Checks `--opt` of `volume create`. @throws UsageError, TsmanError */
export function checkVolumeOptions(options: Options, what = 'option --opt'): void {
  for (const key of Object.keys(options)) {
    if (!['type', 'device', 'o'].includes(key))
      throw new UsageError(`${what}: the local driver has no option ${JSON.stringify(key)}`, {
        hint: 'it knows type=, device= and o=',
      });
  }
  checkType(options);
  for (const word of volumeWords(options)) {
    const isOwner = /^[ug]id=\d+$/.test(word);
    const isTmpfs = volumeType(options) === 'tmpfs' && TMPFS_DATA.test(word);
    if (!isOwner && !isTmpfs && !FLAGS.test(word))
      throw new UsageError(`option --opt o=${options['o']}: unknown word ${JSON.stringify(word)}`);
  }
}

function checkType(options: Options): void {
  const { type, device } = options;
  if (type === 'tmpfs') return;
  if (type !== undefined && type !== 'none' && type !== 'bind')
    throw new TsmanError(`volume of type ${type}: only the host's root can mount it`, {
      hint: `mount it on the host and use that directory: --opt type=none --opt o=bind --opt device=/mnt/${type}`,
    });
  if (device === undefined) {
    if (type !== undefined) throw new UsageError(`option --opt type=${type}: device= is missing`);
    return;
  }
  if (!device.startsWith('/'))
    throw new UsageError(`option --opt device=${device}: want an absolute path`);
  if (!fs.existsSync(device))
    throw new TsmanError(`option --opt device=${device}: no such file or directory`, {
      hint: `create it first: mkdir -p ${device}`,
    });
}
