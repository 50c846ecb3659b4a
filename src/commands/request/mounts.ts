import { UsageError } from '../../base/error.ts';
import { parseMount } from '../../container/mounts/mount-spec.ts';
import { parseTmpfs } from '../../container/mounts/tmpfs-option.ts';
import { parseVolume } from '../../container/mounts/volume-option.ts';
import type { VolumeMount } from '../../container/record.ts';
import type { RuntimeMount } from '../../oci/runtime-config.ts';
import type { ContainerOptions } from './request.ts';

/** Parses --volume, --mount and --tmpfs. @throws UsageError when two name the same place */
export function parseMounts(options: Pick<ContainerOptions, 'volume' | 'mount' | 'tmpfs'>): {
  mounts: RuntimeMount[];
  volumes: VolumeMount[];
} {
  const mounts = options.tmpfs.map(parseTmpfs);
  const volumes = options.volume.map(parseVolume);
  for (const parsed of options.mount.flatMap(parseMount)) {
    if (isVolume(parsed)) volumes.push(parsed);
    else mounts.push(parsed);
  }
  const seen = new Set<string>();
  for (const { destination } of [...mounts, ...volumes]) {
    if (seen.has(destination)) throw new UsageError(`two mounts on ${destination}`);
    seen.add(destination);
  }
  return { mounts, volumes };
}

function isVolume(mount: VolumeMount | RuntimeMount): mount is VolumeMount {
  return mount.type === 'bind' || mount.type === 'volume' || mount.type === 'image';
}
