import * as fs from 'node:fs';
import type { IdMapping } from '../rootless/id-map.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import { volumeData, volumeMarker } from '../storage/volumes.ts';
import type { CreateTarget } from './create.ts';
import type { Container } from './record.ts';

/**
 * New volumes of a container that does not map the caller (`nomap`, `auto`) are given to its root, who
 * could do nothing with them otherwise. They stay empty: the one who copies up in there is that root,
 * and may not reach their directory by path.
 */
export async function prepareVolumes(target: CreateTarget, { spec }: Container): Promise<void> {
  const { userns } = spec;
  if (userns === undefined || userns.join !== undefined) return;
  if (userns.uidMappings.some(({ hostID }) => hostID === 0)) return;
  const owner = { uid: rootOf(userns.uidMappings), gid: rootOf(userns.gidMappings) };
  for (const { type, name } of spec.volumes) {
    if (type !== 'volume' || name === undefined) continue;
    const marker = volumeMarker(target.directories, name);
    if (!fs.existsSync(marker)) continue;
    const agent = openFsAgent(target, volumeData(target.directories, name));
    try {
      agent.set('', { owner });
      await agent.sync();
    } finally {
      await agent.close();
    }
    fs.rmSync(marker, { force: true });
  }
}

function rootOf(mappings: readonly IdMapping[]): number {
  return mappings.find(({ containerID }) => containerID === 0)?.hostID ?? 0;
}
