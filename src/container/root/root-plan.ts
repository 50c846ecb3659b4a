import type { PlanRecord } from '../../helper/plan.ts';
import { fuseOverlayfs } from '../../storage/driver.ts';
import { shiftedLowers } from '../../storage/shifted-lowers.ts';
import type { VolumePlaces } from '../mounts/volume-plan.ts';
import type { Container } from '../record.ts';

/** Where the parts of a root are. */
export interface RootPlaces extends Pick<VolumePlaces, 'directories'> {
  readonly containerDirectory: string;
  readonly layersDirectory: string;
}

/** The record that makes a container's root. @param isStart false for who only works on its files */
export function rootRecord(container: Container, places: RootPlaces, isStart: boolean): PlanRecord {
  const { rootfs, driver } = container.spec;
  const directory = places.containerDirectory;
  if (rootfs !== undefined && container.spec.rootfsOverlay !== true)
    return ['rootfs-bind', rootfs, ''];
  if (driver === 'vfs' && rootfs === undefined) return ['rootfs-bind', `${directory}/rootfs`, ''];
  const isShifted = container.spec.shifted !== undefined && rootfs === undefined;
  const branches = [`${directory}/upper`, `${directory}/work`] as const;
  // An overlay of the kernel's shows the ids of the disk; behind FUSE they are the mounter's.
  const needsFuse = container.spec.userns !== undefined && !isShifted;
  if (driver === 'fuse-overlayfs' || needsFuse)
    return ['rootfs-fuse', fuseOverlayfs(), ...branches, '', ...lowersOf(container, places)];
  // A volatile overlay cannot be mounted a second time: only a start may make one of it.
  const flags = isStart && container.autoRemove ? ['volatile'] : [];
  // Read-only is set at the pivot: until then the mount points below may have to be made.
  if (!isShifted)
    return ['rootfs-overlay', ...branches, flags.join(), ...lowersOf(container, places)];
  const { shifted = '', layers } = container.spec;
  const { lowers, hasData } = shiftedLowers(places.directories, shifted, layers);
  return [
    'rootfs-overlay',
    ...branches,
    [...flags, ...(hasData ? ['data'] : [])].join(),
    ...lowers,
  ];
}

function lowersOf({ spec }: Container, { layersDirectory }: RootPlaces): string[] {
  if (spec.rootfs !== undefined) return [spec.rootfs];
  return spec.layers.map((hex) => `${layersDirectory}/${hex}`);
}
