import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { insertContainer } from '../storage/containers.ts';
import { type CreateTarget, checkName } from './create.ts';
import { recordEvent } from './events.ts';
import { type Container, readConfig } from './record.ts';
import { containerDirectory } from './state.ts';
import { noteUser, volumeNames } from './volume-mounts.ts';

/**
 * A new container with the configuration of another, and none of its files. Without a name it is
 * called `NAME-clone`, `NAME-clone1` and so on, as with Podman.
 */
export function cloneContainer(
  target: CreateTarget,
  original: Container,
  name: string | undefined,
): Container {
  if (name !== undefined) checkName(name);
  const id = randomBytes(32).toString('hex');
  const directory = containerDirectory(target.directories, id);
  const isOverlay = original.spec.rootfs === undefined;
  for (const part of isOverlay ? ['', '/upper', '/work'] : [''])
    fs.mkdirSync(directory + part, { recursive: true, mode: part === '/upper' ? 0o755 : 0o700 });
  const config = JSON.stringify(configOfCopy(target, original, id));
  fs.writeFileSync(`${directory}/config.json`, config, { mode: 0o600 });
  try {
    const copy = insert(target, original, id, name);
    recordEvent(target.storage, 'create', copy);
    return copy;
  } catch (error) {
    fs.rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** A host name that is only the original's ID becomes the copy's. */
function configOfCopy(target: CreateTarget, original: Container, id: string): object {
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
  id: string,
  name: string | undefined,
): Container {
  for (let number = 0; number < MOST_COPIES; number++) {
    const row = {
      id,
      name: name ?? `${original.name}-clone${number === 0 ? '' : number}`,
      imageID: original.imageID,
      createdAt: new Date().toISOString(),
      autoRemove: original.autoRemove,
      spec: JSON.stringify(original.spec),
    };
    noteUser(target, id, original.spec.volumes);
    const holder = insertContainer(target.storage, row, volumeNames(original.spec.volumes));
    if (holder === undefined) return { ...row, spec: original.spec };
    if (name !== undefined)
      throw new TsmanError(`name ${JSON.stringify(name)} is in use by another container`);
  }
  throw new TsmanError(`container ${original.name} has too many clones`);
}
