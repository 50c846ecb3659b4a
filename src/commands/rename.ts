import { TsmanError } from '../base/error.ts';
import { checkName } from '../container/create.ts';
import { recordEvent } from '../container/events/events.ts';
import { renameContainerRow } from '../storage/containers.ts';
import { defineCommand } from './command.ts';
import { existingContainer } from './selection.ts';

export const renameCommand = defineCommand({
  paths: [['rename'], ['container', 'rename']],
  category: 'Containers',
  summary: 'give a container another name',
  usage: 'CONTAINER NAME',
  examples: [
    ['By its ID', 'tsman rename d4a213d34319 web'],
    ['Keep the old one for a while', 'tsman rename web web-old'],
  ],
  options: {},
  arguments: [2, 2],
  completes: 'containers',
  run(_options, [text = '', name = ''], { openEngine }) {
    checkName(name);
    const engine = openEngine();
    const container = existingContainer(engine, text);
    if (container.name === name) return 0;
    if (!renameContainerRow(engine.storage, container.id, name))
      throw new TsmanError(`name ${JSON.stringify(name)} is in use by another container`);
    recordEvent(engine.storage, 'rename', { ...container, name }, { oldName: container.name });
    return 0;
  },
});
