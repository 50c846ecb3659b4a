import { findImage } from '../../storage/images.ts';
import { defineCommand } from '../command.ts';

export const imageExistsCommand = defineCommand({
  paths: [['image', 'exists']],
  category: 'Images',
  summary: 'exit with 0 when the image is in local storage, else with 1',
  usage: 'IMAGE',
  examples: [
    ['Pull only when it is missing', 'tsman image exists debian:12 || tsman pull debian:12'],
    ['By its ID', 'tsman image exists 720db43d5312'],
  ],
  options: {},
  arguments: [1, 1],
  completes: 'images',
  run(_options, [name = ''], { openEngine }) {
    return findImage(openEngine().storage, name) === undefined ? 1 : 0;
  },
});
