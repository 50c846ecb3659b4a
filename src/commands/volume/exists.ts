import { volumeByName } from '../../storage/volumes.ts';
import { defineCommand } from '../command.ts';

export const volumeExistsCommand = defineCommand({
  paths: [['volume', 'exists']],
  category: 'Volumes',
  summary: 'exit with 0 when the volume exists, with 1 when not',
  usage: 'VOLUME',
  examples: [
    ['Remove it if it is there', 'tsman volume exists data && tsman volume rm data'],
    ['Make it once', 'tsman volume exists data || tsman volume create data'],
  ],
  options: {},
  arguments: [1, 1],
  completes: 'volumes',
  run(_options, [name = ''], { openEngine }) {
    return volumeByName(openEngine().storage, name) === undefined ? 1 : 0;
  },
});
