import * as fs from 'node:fs';
import { TsmanError, UsageError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import { insertContainer } from '../storage/containers.ts';
import type { Storage } from '../storage/storage.ts';
import type { CreateRequest, CreateTarget, RootSource } from './create-types.ts';
import { recordEvent } from './events/events.ts';
import { copySecrets } from './mounts/secrets.ts';
import { noteUser, volumeNames } from './mounts/volume-mounts.ts';
import { buildConfig } from './new-config.ts';
import { buildSpec, findUserFiles, layerDirectories } from './new-spec.ts';
import { randomName } from './random-name.ts';
import { type Container, type ContainerSpec, toContainer } from './record.ts';
import { containerDirectory } from './state.ts';

export type { CreateRequest, CreateTarget, RareRequest, RootSource } from './create-types.ts';

/**
 * Makes a container: its directory and config.json first, the record that makes it visible last. A
 * death in between leaves an unnamed directory that prune removes.
 * @param onTaken called when the name is in use; true = try again (it was removed)
 * @throws TsmanError when the name is in use
 */
export function createContainer(
  target: CreateTarget,
  source: RootSource,
  request: CreateRequest,
  onTaken: (holder: Container) => boolean,
): Container {
  const id = randomHex(32);
  const layers = layerDirectories(target, source);
  const files = findUserFiles(layers, source, request);
  const spec = buildSpec(source, request, layers, files);
  const config = buildConfig(id, target, source, request, spec);
  const directory = containerDirectory(target.directories, id);
  const isOverlay = source.rootfs === undefined || source.rootfsOverlay === true;
  for (const part of isOverlay ? ['', '/upper', '/work'] : ['']) {
    fs.mkdirSync(directory + part, { recursive: true, mode: part === '/upper' ? 0o755 : 0o700 });
  }
  fs.writeFileSync(`${directory}/config.json`, JSON.stringify(config), { mode: 0o600 });
  for (const name of spec.userFiles ?? [])
    fs.writeFileSync(`${directory}/${name}`, files[name] ?? '', { mode: 0o644 });
  copySecrets(target.storage, directory, spec.secrets ?? []);
  try {
    noteUser(target, id, spec.volumes);
    const container = insertRecord(target.storage, id, source, request, spec, onTaken);
    recordEvent(target.storage, 'create', container);
    return container;
  } catch (error) {
    fs.rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function insertRecord(
  storage: Storage,
  id: string,
  source: RootSource,
  request: CreateRequest,
  spec: ContainerSpec,
  onTaken: (holder: Container) => boolean,
): Container {
  if (request.name !== undefined) checkName(request.name);
  for (let attempt = 0; attempt < 10; attempt++) {
    const row = {
      id,
      name: request.name ?? randomName(),
      imageID: source.imageID,
      createdAt: new Date().toISOString(),
      autoRemove: request.autoRemove,
      spec: JSON.stringify(spec),
    };
    const holder = insertContainer(storage, row, volumeNames(spec.volumes));
    if (holder === undefined) return { ...row, spec };
    const container = toContainer(holder);
    if (request.name !== undefined && !onTaken(container)) {
      throw new TsmanError(
        `name ${JSON.stringify(row.name)} is in use by container ${holder.id.slice(0, 12)}`,
        {
          hint: `remove it with tsman rm ${row.name}, or use --replace`,
        },
      );
    }
  }
  throw new TsmanError(`name ${JSON.stringify(request.name)} is taken again and again`);
}

/** @throws UsageError */
export function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw new UsageError(
      `invalid container name ${JSON.stringify(name)}: want letters, digits, "_", "." and "-", beginning with a letter or digit`,
    );
  }
}
