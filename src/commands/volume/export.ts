import { createWriteStream } from 'node:fs';
import { UsageError } from '../../base/error.ts';
import { exportVolume } from '../../container/mounts/volume-archive.ts';
import { findVolume } from '../../storage/volumes.ts';
import { defineCommand } from '../command.ts';

export const volumeExportCommand = defineCommand({
  paths: [['volume', 'export']],
  category: 'Volumes',
  summary: 'write what is in a volume as a tar archive',
  usage: 'VOLUME',
  examples: [
    ['Compressed', 'tsman volume export data | zstd -o data.tar.zst'],
    ['A copy', 'tsman volume export data --output data.tar'],
  ],
  options: { output: { kind: 'text', short: 'o', value: 'FILE', help: 'instead of stdout' } },
  arguments: [1, 1],
  completes: 'volumes',
  async run({ output }, [name = ''], context) {
    if (output === undefined && context.stdout.isTTY)
      throw new UsageError('volume export: not to a terminal; use --output FILE');
    const engine = context.openEngine();
    const volume = findVolume(engine.storage, name);
    const target = output === undefined ? context.stdout.stream : createWriteStream(output);
    await exportVolume(engine, volume, target);
    return 0;
  },
});
