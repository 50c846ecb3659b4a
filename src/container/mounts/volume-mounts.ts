import * as fs from 'node:fs';
import { TsmanError, UsageError } from '../../base/error.ts';
import { digestHex } from '../../oci/digest.ts';
import type { RuntimeMount } from '../../oci/runtime-config.ts';
import { requireImage } from '../../storage/image-lookup.ts';
import { findVolume, volumeByName, volumeData, volumeDirectory } from '../../storage/volumes.ts';
import type { CreateTarget } from '../create.ts';
import { findContainer, type VolumeMount } from '../record.ts';
import { checkMountWords, PROPAGATIONS } from './mount-words.ts';
import { volumeType, volumeWords } from './volume-options.ts';
import { anonymousVolume, createVolume, type NewVolume } from './volumes.ts';

/** What a container is to have mounted, before volumes are made. */
export interface VolumeWishes {
  readonly volumes: readonly VolumeMount[];
  /** `--volumes-from`, as typed. */
  readonly from: readonly string[];
  /** The image's VOLUME, unless --image-volume says otherwise. */
  readonly image: readonly string[];
  /** Destinations of the other mounts. */
  readonly taken: readonly string[];
}

/**
 * Makes the volumes that do not exist yet and says where everything is. What the user names wins over
 * --volumes-from, and both win over the image.
 */
export async function resolveVolumes(
  target: CreateTarget,
  wishes: VolumeWishes,
): Promise<VolumeMount[]> {
  const byDestination = new Map<string, VolumeMount>();
  for (const destination of wishes.image)
    byDestination.set(destination, { type: 'volume', source: '', destination, options: [] });
  for (const text of wishes.from)
    for (const mount of volumesFrom(target, text)) byDestination.set(mount.destination, mount);
  for (const destination of wishes.taken) byDestination.delete(destination);
  for (const mount of wishes.volumes) byDestination.set(mount.destination, mount);
  const resolved: VolumeMount[] = [];
  for (const mount of byDestination.values()) resolved.push(await resolveMount(target, mount));
  return resolved;
}

async function resolveMount(target: CreateTarget, mount: VolumeMount): Promise<VolumeMount> {
  if (mount.type === 'image') return resolveImage(target, mount);
  if (mount.type !== 'volume' || mount.source !== '') return mount;
  const { storage, directories } = target;
  const { create = { labels: {}, options: {} }, ...rest } = mount;
  const wanted: NewVolume =
    mount.name === undefined
      ? { ...anonymousVolume(), ...create }
      : { name: mount.name, isAnonymous: false, ...create };
  if (volumeByName(storage, wanted.name) === undefined) {
    if (mount.options.includes('nocreate')) findVolume(storage, `${wanted.name} `);
    await createVolume(target, wanted);
  }
  const volume = findVolume(storage, wanted.name);
  const { options } = volume;
  const type = volumeType(options);
  const source = type === 'bind' ? (options['device'] ?? '') : volumeData(directories, volume.name);
  // The container's own words count after the volume's.
  const words = volumeWords(options).filter((word) => type === 'tmpfs' || !/^[ug]id=/.test(word));
  return {
    ...rest,
    ...{ name: volume.name, source, options: [...words, ...mount.options] },
    ...(type === 'tmpfs' ? { isTmpfs: true } : {}),
    ...(volume.isAnonymous ? { isAnonymous: true } : {}),
  };
}

function resolveImage(target: CreateTarget, mount: VolumeMount): VolumeMount {
  const image = requireImage(target.storage, mount.source);
  const layers = image.layers.map((layer) => digestHex(layer.diffID)).reverse();
  return { ...mount, name: image.id, layers };
}

/** `CONTAINER[:OPTIONS]` */
function volumesFrom(target: CreateTarget, text: string): VolumeMount[] {
  const [name = '', optionText = '', ...more] = text.split(':');
  const words = optionText.split(',').filter((word) => word !== '');
  if (more.length > 0 || words.some((word) => !['ro', 'rw', 'z', 'Z'].includes(word)))
    throw new UsageError(`option --volumes-from ${text}: want CONTAINER[:ro|rw|z]`);
  checkMountWords(words, `option --volumes-from ${text}`);
  return findContainer(target.storage, name).spec.volumes.map((mount) => ({
    ...mount,
    options: [
      ...mount.options.filter((word) => words.length === 0 || !['ro', 'rw'].includes(word)),
      ...words,
    ],
  }));
}

/** The names of volumes among mounts. */
export function volumeNames(mounts: readonly VolumeMount[]): string[] {
  return mounts.flatMap(({ type, name }) =>
    type === 'volume' && name !== undefined ? [name] : [],
  );
}

/** Notes the container at its anonymous volumes, for the monitor that may have to remove them. */
export function noteUser(target: CreateTarget, id: string, mounts: readonly VolumeMount[]): void {
  for (const { name, isAnonymous } of mounts) {
    if (isAnonymous !== true || name === undefined) continue;
    try {
      fs.writeFileSync(`${volumeDirectory(target.directories, name)}/users/${id}`, '');
    } catch (cause) {
      throw new TsmanError(`volume ${name.slice(0, 12)} is being removed`, { cause });
    }
  }
}

/** What only tsman understands; the rest goes into config.json. */
const OWN_WORDS = /^([zZUO]|copy|nocopy|nocreate|no-dereference|r?bind|(upper|work)dir=.*)$/;

/** A volume as an OCI mount. */
export function toRuntimeMount(mount: VolumeMount): RuntimeMount {
  const { source, destination } = mount;
  const words = mount.options.filter((word) => !OWN_WORDS.test(word));
  if (mount.isTmpfs === true)
    return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', ...words] };
  const bind = mount.options.includes('bind') ? 'bind' : 'rbind';
  // A volume is no way to bring devices or set-uid programs of its maker in.
  const safe = mount.type === 'volume' ? ['nosuid', 'nodev'] : [];
  return {
    ...{ destination, source, type: 'bind' },
    options: [bind, ...safe.filter((word) => !words.includes(word.slice(2))), ...words],
  };
}

/** What is neither said by RW, Mode nor Propagation, as Podman has it: `["rbind"]`. */
function runtimeOptions(mount: VolumeMount): string[] {
  const { options } = toRuntimeMount(mount);
  return options.filter((word) => !['ro', 'rw', ...PROPAGATIONS].includes(word));
}

/** A line of `inspect`'s HostConfig.Binds: `SOURCE:DESTINATION:rw,rprivate,rbind`. */
export function describeBind(mount: VolumeMount): string {
  const { options } = mount;
  const words = [
    options.includes('ro') ? 'ro' : 'rw',
    options.find((word) => PROPAGATIONS.includes(word)) ?? 'rprivate',
    ...options.filter((word) => word === 'z' || word === 'Z'),
    ...runtimeOptions(mount),
  ];
  return [mount.name ?? mount.source, mount.destination, words.join(',')].join(':');
}

/** A mount as `inspect` prints it. */
export function describeMount(mount: VolumeMount): Record<string, unknown> {
  const propagation = mount.options.find((word) => PROPAGATIONS.includes(word));
  const isImage = mount.type === 'image';
  return {
    Type: mount.type ?? 'bind',
    ...(mount.type === 'volume' ? { Name: mount.name ?? '' } : {}),
    Source: mount.source,
    Destination: mount.destination,
    Driver: mount.type === 'volume' ? 'local' : '',
    Mode: mount.options.find((word) => word === 'z' || word === 'Z') ?? '',
    Options: isImage ? mount.options : runtimeOptions(mount),
    RW: isImage ? mount.options.includes('rw') : !mount.options.includes('ro'),
    Propagation: propagation ?? (isImage ? '' : 'rprivate'),
    ...(mount.subpath === undefined ? {} : { SubPath: mount.subpath }),
  };
}
