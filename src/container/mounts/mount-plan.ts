import type { PlanRecord } from '../../helper/plan.ts';
import type { RuntimeMount } from '../../oci/runtime-config.ts';
import type { Container } from '../record.ts';
import { type VolumePlaces, volumeRecords } from './volume-plan.ts';

const MOUNT_FLAGS = new Set([
  'ro',
  'nosuid',
  'nodev',
  'noexec',
  'noatime',
  'strictatime',
  'relatime',
  'nodiratime',
  'sync',
  'copy-up',
]);
const IGNORED_WORDS = new Set(['rw', 'suid', 'dev', 'exec', 'bind', 'tmpcopyup']);

/** The records of one mount of the configuration; a volume may need more than its bind. */
export function mountRecords(
  mount: RuntimeMount,
  container: Container,
  places: VolumePlaces,
): PlanRecord[] {
  const record = mountRecord(mount);
  const volume = container.spec.volumes.find((it) => it.destination === mount.destination);
  if (volume === undefined || volume.isTmpfs === true) return [record];
  return volumeRecords(volume, record, places);
}

function mountRecord(mount: RuntimeMount): PlanRecord {
  if (mount.type === 'bind') {
    const flags = mount.options
      .filter((word) => !IGNORED_WORDS.has(word))
      .map((word) => (word === 'rbind' ? 'rec' : word));
    return ['bind', mount.source, mount.destination, flags.join(',')];
  }
  const flags = mount.options
    .map((word) => (word === 'tmpcopyup' ? 'copy-up' : word))
    .filter((word) => MOUNT_FLAGS.has(word));
  const data = mount.options.filter((word) => !MOUNT_FLAGS.has(word) && !IGNORED_WORDS.has(word));
  return ['mount', mount.type, mount.source, mount.destination, flags.join(','), data.join(',')];
}
