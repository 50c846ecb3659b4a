import * as fs from 'node:fs';
import type { PlanRecord } from '../../helper/plan.ts';
import type { Directories } from '../../rootless/directories.ts';
import { shiftedLowers } from '../../storage/shifted-lowers.ts';
import { trashPath } from '../../storage/trash.ts';
import { volumeMarker } from '../../storage/volumes.ts';
import type { VolumeMount } from '../record.ts';

/** Where a start finds things, see plan.ts. */
export interface VolumePlaces {
  readonly directories: Directories;
  readonly containerDirectory: string;
}

/**
 * What must happen for a volume besides binding it: filling it from the image, giving it to the user,
 * and, for overlays, images and parts of volumes, mounting it in another way.
 * @param bind the plan's record for the plain bind
 */
export function volumeRecords(
  mount: VolumeMount,
  bind: PlanRecord,
  places: VolumePlaces,
): PlanRecord[] {
  const { source, destination, options } = mount;
  // A link of the host's becomes a link in the container, to where it leads in there.
  if (options.includes('no-dereference') && fs.lstatSync(source).isSymbolicLink())
    return [['symlink', fs.readlinkSync(source), destination]];
  const before = [...copyUp(mount, places)];
  if (options.includes('U') && mount.type !== 'image') before.push(['own-tree', source]);
  if (mount.type === 'image') return [...before, imageRecord(mount, places)];
  if (options.includes('O'))
    return [...before, ['overlay', destination, ...upperOf(mount, places), '', source]];
  if (mount.subpath !== undefined) {
    const flags = bind[3] ?? '';
    return [...before, ['bind-below', source, mount.subpath, destination, flags]];
  }
  const flags = String(bind[3] ?? '');
  if (options.includes('nocreate') && mount.type === 'bind')
    return [['bind', source, destination, flags === '' ? 'nocreate' : `${flags},nocreate`]];
  return [...before, bind];
}

function copyUp({ name, type, source, destination, options }: VolumeMount, places: VolumePlaces) {
  if (type !== 'volume' || name === undefined) return [];
  const marker = volumeMarker(places.directories, name);
  // Gone after the first use: then it costs one look.
  if (!fs.existsSync(marker)) return [];
  const record: PlanRecord = ['copy-up', source, destination, marker];
  return [options.includes('nocopy') ? ([...record, 'owner'] as PlanRecord) : record];
}

function imageRecord(mount: VolumeMount, places: VolumePlaces): PlanRecord {
  const isWritable = mount.options.includes('rw');
  const { layers = [], shifted } = mount;
  const { lowers, hasData } =
    shifted === undefined
      ? {
          lowers: layers.map((hex) => `${places.directories.dataRoot}/layers/${hex}`),
          hasData: false,
        }
      : shiftedLowers(places.directories, shifted, layers);
  const [upper, work] = isWritable ? upperOf(mount, places) : ['', ''];
  const flags = [isWritable ? '' : 'ro', hasData ? 'data' : '']
    .filter((word) => word !== '')
    .join();
  const { destination, subpath } = mount;
  return subpath === undefined
    ? ['overlay', destination, upper, work, flags, ...lowers]
    : ['overlay-below', destination, subpath, upper, work, flags, ...lowers];
}

/** Given by the user and kept, or fresh at every start. */
function upperOf({ destination, options }: VolumeMount, places: VolumePlaces): [string, string] {
  const given = (key: string): string | undefined =>
    options.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const [upper, work] = [given('upperdir'), given('workdir')];
  if (upper !== undefined && work !== undefined) return [upper, work];
  const directory = `${places.containerDirectory}/overlays/${Buffer.from(destination).toString('hex').slice(-200)}`;
  if (fs.existsSync(directory)) fs.renameSync(directory, trashPath(places.directories, 'overlay'));
  fs.mkdirSync(`${directory}/work`, { recursive: true, mode: 0o700 });
  fs.mkdirSync(`${directory}/upper`, { mode: 0o755 });
  return [`${directory}/upper`, `${directory}/work`];
}
