import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { TsmanError, UsageError } from '../../base/error.ts';
import { parseSizeBytes } from '../../base/size.ts';
import type { RareRequest } from '../../container/create.ts';
import type { ContainerSpec } from '../../container/record.ts';
import { SDNOTIFY_WORDS } from '../../container/sdnotify.ts';
import { parseSystemdMode } from '../../container/systemd-mode.ts';
import type { OptionValues } from '../command.ts';
import type { RARE_CONTAINER_OPTIONS } from '../options/rare-container-options.ts';
import { parseHostname, parsePersonality, parsePreservedFds } from './values.ts';

type RareOptions = OptionValues<typeof RARE_CONTAINER_OPTIONS>;

/** The part of the record that rare options decide. @throws UsageError, TsmanError */
export function rareSpec(
  options: RareOptions,
): Pick<
  ContainerSpec,
  'monitorPidFile' | 'personality' | 'preservedFds' | 'chrootDirs' | 'sdnotify'
> {
  checkSeccompPolicy(options.seccompPolicy);
  const personality = parsePersonality(options.personality);
  const preservedFds = parsePreservedFds(options.preserveFds, options.preserveFd);
  const chrootDirs = options.chrootdirs.flatMap((text) => text.split(','));
  for (const directory of chrootDirs)
    if (!directory.startsWith('/'))
      throw new UsageError(
        `option --chrootdirs: ${JSON.stringify(directory)} is not an absolute path`,
      );
  return {
    ...(options.conmonPidfile === undefined
      ? {}
      : { monitorPidFile: resolve(options.conmonPidfile) }),
    ...(personality === undefined ? {} : { personality }),
    ...(preservedFds === 0 ? {} : { preservedFds }),
    ...parseSdNotify(options.sdnotify),
    ...(chrootDirs.length === 0 ? {} : { chrootDirs }),
  };
}

/** The part of the request that rare options decide. @throws UsageError, TsmanError */
export function rareRequest(options: RareOptions): RareRequest {
  return {
    domainname: parseHostname('--domainname', options.domainname),
    systemd: parseSystemdMode(options.systemd),
    systemdTmpfsBytes:
      options.shmSizeSystemd === undefined
        ? undefined
        : parseSizeBytes(options.shmSizeSystemd, '--shm-size-systemd'),
    imageVolumes: parseImageVolumes(options.imageVolume),
    hostsBase: parseHostsFile(options.hostsFile),
    userFiles: {
      addMissing: options.passwd,
      passwdEntry: options.passwdEntry,
      groupEntry: options.groupEntry,
      hostUsers: options.hostuser,
    },
  };
}

function parseSdNotify(text: string | undefined): Pick<ContainerSpec, 'sdnotify'> {
  if (text === undefined) return {};
  const kind = SDNOTIFY_WORDS.find((word) => word === text);
  if (kind === undefined)
    throw new UsageError(
      `option --sdnotify: ${JSON.stringify(text)} is not ${SDNOTIFY_WORDS.join(', ')}`,
    );
  return { sdnotify: kind };
}

function parseImageVolumes(text: string | undefined): RareRequest['imageVolumes'] {
  if (text === undefined || text === 'anonymous' || text === 'bind') return 'anonymous';
  if (text === 'tmpfs' || text === 'ignore') return text;
  throw new UsageError(
    `option --image-volume: ${JSON.stringify(text)} is not anonymous, bind, tmpfs or ignore`,
  );
}

function parseHostsFile(text: string | undefined): RareRequest['hostsBase'] {
  if (text === undefined || text === '' || text === 'none') return undefined;
  if (text === 'image') return { fromImage: true };
  try {
    return { text: readFileSync(text, 'utf8') };
  } catch (cause) {
    throw new TsmanError(`option --hosts-file ${text}`, { cause });
  }
}

function checkSeccompPolicy(policy: string | undefined): void {
  if (policy === undefined || policy === 'default') return;
  throw new TsmanError(
    `option --seccomp-policy ${policy}: profiles in image labels are not honoured`,
    { hint: 'give the profile with --security-opt seccomp=FILE' },
  );
}
