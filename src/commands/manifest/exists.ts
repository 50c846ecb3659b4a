import { listName } from '../../image/manifest-list.ts';
import { findManifestList } from '../../storage/manifest-lists.ts';
import { defineCommand } from '../command.ts';

export const manifestExistsCommand = defineCommand({
  paths: [['manifest', 'exists']],
  category: 'Images',
  summary: 'exit with 0 when there is such a list, else with 1',
  usage: 'LIST',
  examples: [
    ['In a script', 'tsman manifest exists web || tsman manifest create web'],
    ['Only its exit code counts', 'tsman manifest exists web && tsman manifest push web'],
  ],
  options: {},
  arguments: [1, 1],
  completes: 'images',
  run(_options, [name = ''], { openEngine }) {
    return findManifestList(openEngine().storage, listName(name)) === undefined ? 1 : 0;
  },
});
