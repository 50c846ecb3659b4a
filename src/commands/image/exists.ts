import { findImage } from '../../storage/images.ts';
import { defineCommand } from '../command.ts';

export const imageExistsCommand = defineCommand({
  paths: [['image', 'exists']],
  category: 'Images',
  summary: 'exit with 0 when the image is in local storage, else with 1',
  usage: 'IMAGE',
  examples: [],
  options: {},
  arguments: [1, 1],
  completes: 'images',
  run(_options, [name = ''], { openEngine }) {
    return findImage(openEngine().storage, name) === undefined ? 1 : 0;
  },
});
