import type { Container } from '../../container/record.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import type { Engine } from '../engine.ts';

/** What a container takes on the disk. */
export interface ContainerSize {
  /** Its own files. */
  readonly ownBytes: number;
  /** With those of its image. */
  readonly totalBytes: number;
}

/** Measures containers with one agent; layers that several share are measured once. */
export async function measureContainers(
  engine: Engine,
  containers: readonly Container[],
): Promise<Map<string, ContainerSize>> {
  const sizes = new Map<string, ContainerSize>();
  const layers = new Map<string, number>();
  const agent = openFsAgent(engine, engine.directories.dataRoot);
  const usage = async (path: string): Promise<number> => {
    try {
      return (await agent.usage(path)).sizeBytes;
    } catch {
      // --rootfs has no upper directory; a container may go while we look.
      return 0;
    }
  };
  try {
    for (const { id, spec } of containers) {
      const ownBytes = await usage(`containers/${id}/upper`);
      let totalBytes = ownBytes;
      for (const hex of spec.layers) {
        if (!layers.has(hex)) layers.set(hex, await usage(`layers/${hex}`));
        totalBytes += layers.get(hex) ?? 0;
      }
      sizes.set(id, { ownBytes, totalBytes });
    }
  } finally {
    await agent.close();
  }
  return sizes;
}
