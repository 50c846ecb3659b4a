import { basename } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { digestHex } from '../oci/digest.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import { hasLayer, type LayerSource, unpackStoredAside } from './layers.ts';
import { withIngest } from './leases.ts';
import { discard, type LayerTarget, layersDirectory, makePartial } from './partials.ts';
import { treeDifferences } from './tree-compare.ts';

/** More differences than these are only counted. */
const SHOWN_DIFFERENCES = 3;

/**
 * Unpacks a layer once more, aside, and compares: whatever unpacking does to an archive (later entries
 * replace earlier ones, devices are left out) it does to both.
 * @returns what is wrong with the layer in the store, undefined when nothing is, or it is gone
 * @throws TsmanError when the blob is damaged, or there is no room
 */
export async function layerDifference(
  target: LayerTarget,
  layer: LayerSource,
): Promise<string | undefined> {
  return withFreshCopy(target, layer, async (partial) => {
    const { directories } = target.storage;
    const layers = layersDirectory(target.storage);
    const hex = digestHex(layer.diffID);
    const open = (path: string) => openFsAgent({ userns: target.userns, directories }, path);
    const agents = [open(layers), open(`${layers}/${hex}`), open(`${layers}/${partial}`)] as const;
    const [reader, walker, freshWalker] = agents;
    try {
      const actual = { walker, path: hex };
      return await summary(treeDifferences(reader, actual, { walker: freshWalker, path: partial }));
    } finally {
      await Promise.all(agents.map((agent) => agent.close({ kill: true })));
    }
  });
}

/** Puts a fresh copy in the place of a damaged layer, which no running container may use. */
export async function replaceLayer(target: LayerTarget, layer: LayerSource): Promise<void> {
  await withFreshCopy(target, layer, async (partial) => {
    const { userns, storage } = target;
    const directories = storage.directories;
    const agent = openFsAgent({ userns, directories }, layersDirectory(storage));
    try {
      // In one step: an image is never without its layer.
      agent.exchange(partial, digestHex(layer.diffID));
      await agent.sync();
    } finally {
      await agent.close();
    }
  });
}

/** Under a lease, so that nobody removes the layer meanwhile. */
async function withFreshCopy<T>(
  target: LayerTarget,
  layer: LayerSource,
  use: (partial: string) => Promise<T>,
): Promise<T | undefined> {
  return withIngest(target.storage, async () => {
    if (!hasLayer(target.storage, layer.diffID)) return undefined;
    const partial = makePartial(target.storage);
    try {
      await unpackStoredAside(target, layer, partial);
      return await use(basename(partial));
    } finally {
      await discard(target, [basename(partial)]);
    }
  });
}

async function summary(differences: AsyncIterable<string>): Promise<string | undefined> {
  const shown: string[] = [];
  let count = 0;
  try {
    for await (const line of differences) {
      count++;
      if (count <= SHOWN_DIFFERENCES) shown.push(line);
    }
  } catch (error) {
    // An input/output error is damage, too.
    if (!(error instanceof TsmanError)) throw error;
    shown.push(`cannot be read: ${error.message}`);
  }
  if (shown.length === 0) return undefined;
  const more = count > SHOWN_DIFFERENCES ? [`and ${count - SHOWN_DIFFERENCES} more`] : [];
  return [...shown, ...more].join('; ');
}
