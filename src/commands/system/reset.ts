import { resetStore } from '../../container/reset.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../prompt.ts';

export const systemResetCommand = defineCommand({
  paths: [['system', 'reset']],
  category: 'System',
  summary:
    'end all containers and remove everything: containers, images, volumes, settings of the store',
  usage: '',
  examples: [
    ['After a question', 'tsman system reset'],
    ['Without asking', 'tsman system reset --force'],
  ],
  options: {
    force: { kind: 'flag', short: 'f', help: 'do not ask' },
  },
  arguments: [0, 0],
  async run({ force }, _args, context) {
    const engine = context.openEngine();
    const { dataRoot } = engine.directories;
    const warning = `This ends and removes all containers, and removes all images and volumes, in ${dataRoot}.`;
    if (!force && !(await confirm(warning, context))) return 0;
    await resetStore(engine);
    return 0;
  },
});
