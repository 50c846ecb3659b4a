import { createReadStream } from 'node:fs';
import { importVolume } from '../../container/mounts/volume-archive.ts';
import { findVolume } from '../../storage/volumes.ts';
import { defineCommand } from '../command.ts';

export const volumeImportCommand = defineCommand({
  paths: [['volume', 'import']],
  category: 'Volumes',
  summary: 'unpack a tar archive into a volume',
  usage: 'VOLUME [FILE]',
  examples: [
    ['From a file', 'tsman volume import data data.tar'],
    ['From another machine', 'ssh other tsman volume export data | tsman volume import data -'],
  ],
  options: {},
  arguments: [1, 2],
  completes: 'volumes',
  async run(_options, [name = '', file = '-'], context) {
    const engine = context.openEngine();
    const volume = findVolume(engine.storage, name);
    await importVolume(engine, volume, file === '-' ? context.stdin : createReadStream(file));
    return 0;
  },
});
