import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import { insertContainer } from '../storage/containers.ts';
import { mergeLimits, type Resources } from './cgroup/resources.ts';
import { type CreateTarget, checkName, type RootSource } from './create.ts';
import { recordEvent } from './events/events.ts';
import { copySecrets } from './mounts/secrets.ts';
import { noteUser, volumeNames } from './mounts/volume-mounts.ts';
import { layerDirectories } from './new-spec.ts';
import { type Container, type ContainerSpec, readConfig } from './record.ts';
import { containerDirectory } from './state.ts';
import { type UserFiles, userFiles } from './user-files.ts';

/** In what the copy differs. */
export interface CloneChanges {
  /** Undefined = `NAME-clone`, `NAME-clone1` and so on, as with Podman. */
  readonly name: string | undefined;
  readonly resources: Resources | undefined;
  /** Its files are of this image; command, environment and user stay. */
  readonly image: RootSource | undefined;
}

/** A new container with the configuration of another, and none of its files. */
export function cloneContainer(
  target: CreateTarget,
  original: Container,
  changes: CloneChanges,
): Container {
  if (changes.name !== undefined) checkName(changes.name);
  const id = randomHex(32);
  const config = configOfCopy(target, original, id);
  const files = filesOfCopy(target, original, config, changes.image);
  const spec = specOfCopy(original.spec, changes, files);
  try {
    makeDirectory(target, id, spec, config, files);
    const copy = insert(target, original, { id, spec, changes });
    recordEvent(target.storage, 'create', copy);
    return copy;
  } catch (error) {
    fs.rmSync(containerDirectory(target.directories, id), { recursive: true, force: true });
    throw error;
  }
}

function makeDirectory(
  target: CreateTarget,
  id: string,
  spec: ContainerSpec,
  config: RuntimeConfig,
  files: UserFiles,
): void {
  const directory = containerDirectory(target.directories, id);
  const isOverlay = spec.rootfs === undefined || spec.rootfsOverlay === true;
  for (const part of isOverlay ? ['', '/upper', '/work'] : [''])
    fs.mkdirSync(directory + part, { recursive: true, mode: part === '/upper' ? 0o755 : 0o700 });
  fs.writeFileSync(`${directory}/config.json`, JSON.stringify(config), { mode: 0o600 });
  for (const name of spec.userFiles ?? [])
    fs.writeFileSync(`${directory}/${name}`, files[name] ?? '', { mode: 0o644 });
  copySecrets(target.storage, directory, spec.secrets ?? []);
}

function specOfCopy(spec: ContainerSpec, changes: CloneChanges, files: UserFiles): ContainerSpec {
  const { image } = changes;
  const resources = mergeLimits(spec.resources, changes.resources);
  return {
    ...spec,
    ...(resources === undefined ? {} : { resources }),
    ...(image === undefined ? {} : { imageName: image.imageName, layers: image.layers }),
    userFiles: (['passwd', 'group'] as const).filter((name) => files[name] !== undefined),
  };
}

/** /etc/passwd and /etc/group: the original's, or what another image needs for the same user. */
function filesOfCopy(
  target: CreateTarget,
  { id, spec }: Container,
  config: RuntimeConfig,
  image: RootSource | undefined,
): UserFiles {
  const own = spec.userFiles ?? [];
  const read = (name: 'passwd' | 'group'): string | undefined =>
    own.includes(name)
      ? fs.readFileSync(`${containerDirectory(target.directories, id)}/${name}`, 'utf8')
      : undefined;
  if (image === undefined) return { passwd: read('passwd'), group: read('group') };
  const nothingSpecial = { passwdEntry: undefined, groupEntry: undefined, hostUsers: [] };
  return userFiles(layerDirectories(target, image), spec.user, config.process.cwd, {
    addMissing: true,
    ...nothingSpecial,
  });
}

/** A host name that is only the original's ID becomes the copy's. */
function configOfCopy(target: CreateTarget, original: Container, id: string): RuntimeConfig {
  const config = readConfig(target.storage, original.id);
  const old = original.id.slice(0, 12);
  if (config.hostname !== old) return config;
  const env = config.process.env.map((entry) =>
    entry === `HOSTNAME=${old}` ? `HOSTNAME=${id.slice(0, 12)}` : entry,
  );
  return { ...config, hostname: id.slice(0, 12), process: { ...config.process, env } };
}

const MOST_COPIES = 1000;

function insert(
  target: CreateTarget,
  original: Container,
  { id, spec, changes }: { id: string; spec: ContainerSpec; changes: CloneChanges },
): Container {
  for (let number = 0; number < MOST_COPIES; number++) {
    const row = {
      id,
      name: changes.name ?? `${original.name}-clone${number === 0 ? '' : number}`,
      imageID: changes.image === undefined ? original.imageID : changes.image.imageID,
      createdAt: new Date().toISOString(),
      autoRemove: original.autoRemove,
      spec: JSON.stringify(spec),
    };
    noteUser(target, id, spec.volumes);
    const holder = insertContainer(target.storage, row, volumeNames(spec.volumes));
    if (holder === undefined) return { ...row, spec };
    if (changes.name !== undefined)
      throw new TsmanError(`name ${JSON.stringify(changes.name)} is in use by another container`);
  }
  throw new TsmanError(`container ${original.name} has too many clones`);
}
