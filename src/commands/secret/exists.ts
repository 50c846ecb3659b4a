import { listSecrets } from '../../storage/secrets.ts';
import { defineCommand } from '../command.ts';

export const secretExistsCommand = defineCommand({
  paths: [['secret', 'exists']],
  category: 'Containers',
  summary: 'exit with 0 when the secret exists, with 1 when not',
  usage: 'SECRET',
  examples: [
    ['Remove it if it is there', 'tsman secret exists db && tsman secret rm db'],
    ['Make it once', 'tsman secret exists db || tsman secret create db db.txt'],
  ],
  options: {},
  arguments: [1, 1],
  completes: 'secrets',
  run(_options, [text = ''], { openEngine }) {
    const all = listSecrets(openEngine().storage);
    return all.some(({ name, id }) => name === text || id === text) ? 0 : 1;
  },
});
