import type { PlanRecord } from '../helper/plan.ts';
import { NO_DNS } from './network/hosts-files.ts';
import type { Container } from './record.ts';

/** Where the files are that a start wrote. */
export interface FilePlaces {
  readonly containerDirectory: string;
  readonly runDirectory: string;
  readonly helper: string;
}

/** Where the helper is seen by a container with `--init`. */
export const INIT_PATH = '/run/tsman-init';

const FLAGS = 'file,nosuid,nodev,noexec,rprivate';

/** The files of the run directory and of the container's own that are bound over the image's. */
export function fileBinds(
  container: Container,
  places: FilePlaces,
  isReadOnly: boolean,
): PlanRecord[] {
  const { init, volumes, chrootDirs = [] } = container.spec;
  const taken = new Set(volumes.map((volume) => volume.destination));
  const records = [
    ...runFiles(container).flatMap(([name, path]) =>
      ['', ...chrootDirs].map((root) => [`${places.runDirectory}/${name}`, root + path] as const),
    ),
    ...(container.spec.userFiles ?? []).map(
      (name) => [`${places.containerDirectory}/${name}`, `/etc/${name}`] as const,
    ),
  ]
    .filter(([, destination]) => !taken.has(destination))
    .flatMap(([file, path]) => fileRecords(file, path, { container, isReadOnly }));
  if (init === undefined) return records;
  return [...records, ['bind', init.path ?? places.helper, INIT_PATH, 'file,ro,nosuid,nodev']];
}

function runFiles({ spec: { hosts } }: Container): (readonly [name: string, path: string])[] {
  return [
    ...(hosts.dnsServers.includes(NO_DNS) ? [] : [['resolv.conf', '/etc/resolv.conf'] as const]),
    ...(hosts.noHosts ? [] : [['hosts', '/etc/hosts'] as const]),
    ...(hosts.noHostname ? [] : [['hostname', '/etc/hostname'] as const]),
    ['containerenv', '/run/.containerenv'],
  ];
}

/** Read-only as the root is: what --read-only forbids is not to be had in /etc/hosts. */
function fileRecords(
  file: string,
  path: string,
  { container, isReadOnly }: { container: Container; isReadOnly: boolean },
): PlanRecord[] {
  if (!hasMappedCaller(container))
    return [['bind', file, path, isReadOnly ? `${FLAGS},ro` : FLAGS]];
  // With keep-id it would be the user's own to write.
  const owned: PlanRecord[] = [
    ['bind', file, path, FLAGS],
    ['owner', path, 0, 0],
  ];
  return isReadOnly ? [...owned, ['readonly', path]] : owned;
}

/** Where he is not, his files belong to nobody, and are given to root beforehand (prepare-volumes.ts). */
export function hasMappedCaller({ spec: { userns } }: Container): boolean {
  if (userns === undefined) return false;
  return [userns.uidMappings, userns.gidMappings].every((map) =>
    map.some(({ hostID }) => hostID === 0),
  );
}
