import * as fs from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../base/file.ts';
import { nodeCrypto } from '../base/late-modules.ts';
import type { FsAgent } from '../helper/fs-agent.ts';
import type { Directories } from '../rootless/directories.ts';
import type { IdMapping } from '../rootless/id-map.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import { isAbandoned, type LayerTarget, partialName } from './partials.ts';
import { DATA_SUFFIX, SHIFTED_LAYERS } from './shifted-lowers.ts';

/*
 * Unpacked layers with the owners that a container's own id map gives them, one copy for each map:
 * `layers-shifted/<map>/<hex>`, beside it `map.json`. A kernel's overlay over them needs no daemon. A copy
 * is made aside by a file agent, and renamed; it can be made again at any time from `layers/<hex>`.
 */

export interface ShiftMap {
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
}

/** `data`: large files are references into `layers/`, for which overlay must know data-only layers. */
export type ShiftKind = 'data' | 'copy';

/** What a container's record says: the directory of all layers shifted for its map. */
export function shiftName(map: ShiftMap, kind: ShiftKind): string {
  const lines = [map.uidMappings, map.gidMappings].map((mappings) =>
    mappings.map(({ containerID, hostID, size }) => `${containerID}:${hostID}:${size}`).join(),
  );
  const hash = nodeCrypto().createHash('sha256').update(lines.join(';')).digest('hex').slice(0, 16);
  return kind === 'data' ? hash + DATA_SUFFIX : hash;
}

/** Which of the layers have no copy for this map. */
export function unshiftedLayers(
  { dataRoot }: Directories,
  name: string,
  layers: readonly string[],
): string[] {
  const missing = layers.filter((hex) => !fs.existsSync(join(dataRoot, SHIFTED_LAYERS, name, hex)));
  return [...new Set(missing)];
}

/**
 * Begins to shift layers. Await `done`, then close the agent; or release it, and it goes on alone:
 * what it has renamed when it ends, whole layers, is there.
 */
export function startShift(
  { storage: { directories }, userns }: LayerTarget,
  name: string,
  map: ShiftMap,
  layers: readonly string[],
): { readonly agent: FsAgent; readonly done: Promise<unknown> } {
  const directory = join(directories.dataRoot, SHIFTED_LAYERS, name);
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!fs.existsSync(join(directory, 'map.json')))
    writeAtomically(join(directory, 'map.json'), JSON.stringify(map));
  const agent = openFsAgent({ userns, directories }, directories.dataRoot);
  for (const hex of layers) {
    const partial = `${SHIFTED_LAYERS}/${name}/${partialName(agent.pid)}`;
    const redirect = name.endsWith(DATA_SUFFIX) ? `/${hex}` : '';
    agent.copyLayer(`layers/${hex}`, partial, redirect, map.uidMappings, map.gidMappings);
    agent.rename(partial, `${SHIFTED_LAYERS}/${name}/${hex}`);
  }
  return { agent, done: agent.sync() };
}

export interface ShiftedLayer {
  readonly name: string;
  readonly hex: string;
  /** Below the data root. */
  readonly path: string;
}

/** All there are. */
export function listShiftedLayers({ dataRoot }: Directories): ShiftedLayer[] {
  return entries(dataRoot).filter(({ hex }) => /^[0-9a-f]{64}$/.test(hex));
}

/** What killed processes left half made, as paths below the data root. */
export function abandonedShifts({ dataRoot }: Directories): string[] {
  return entries(dataRoot)
    .filter(({ hex }) => isAbandoned(hex))
    .map(({ path }) => path);
}

function entries(dataRoot: string): ShiftedLayer[] {
  const root = join(dataRoot, SHIFTED_LAYERS);
  if (!fs.existsSync(root)) return [];
  return fs
    .readdirSync(root)
    .flatMap((name) =>
      fs
        .readdirSync(join(root, name))
        .map((hex) => ({ name, hex, path: `${SHIFTED_LAYERS}/${name}/${hex}` })),
    );
}

/** Removes directories of maps without any layer. */
export function dropEmptyMaps({ dataRoot }: Directories): void {
  const root = join(dataRoot, SHIFTED_LAYERS);
  if (!fs.existsSync(root)) return;
  for (const name of fs.readdirSync(root)) {
    const directory = join(root, name);
    if (fs.readdirSync(directory).some((entry) => entry !== 'map.json')) continue;
    // Somebody may be beginning to shift: then it fails, and is done through fuse-overlayfs.
    fs.rmSync(directory, { recursive: true, force: true });
  }
}
