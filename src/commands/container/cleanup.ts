import * as fs from 'node:fs';
import { TsmanError } from '../../base/error.ts';
import { recordEvent } from '../../container/events/events.ts';
import { removeContainer } from '../../container/remove.ts';
import { readState, runDirectory } from '../../container/state.ts';
import { defineCommand } from '../command.ts';
import { selectionOf } from '../options/selection-options.ts';
import { forEachContainer } from '../selection.ts';

export const containerCleanupCommand = defineCommand({
  paths: [['container', 'cleanup']],
  category: 'Containers',
  summary: 'remove what ended containers left in the run directory',
  usage: 'CONTAINER...',
  examples: [
    ['One container', 'tsman container cleanup job'],
    ['And remove it', 'tsman container cleanup --rm job'],
    ['After a crash', 'tsman container cleanup --all'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'every container that does not run' },
    exec: { kind: 'text', value: 'ID', help: 'nothing to do here: exec leaves nothing behind' },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    rm: { kind: 'flag', help: 'remove the container too' },
    rmi: { kind: 'flag', help: 'remove its image too, unless another container uses it' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  run(options, names, context) {
    const selection = selectionOf(names, options);
    return forEachContainer(
      context,
      selection,
      ['created', 'exited'],
      async (container, engine) => {
        if (readState(engine.directories, container.id).pid !== 0)
          throw new TsmanError(`container ${container.name} is running: nothing to clean up`);
        const left = runDirectory(engine.directories, container.id);
        // Its state file says that it has run before: containers started once stay "exited".
        for (const name of fs.existsSync(left) ? fs.readdirSync(left) : [])
          if (/^(plan\..*|attach\.sock|resolv\.conf|hosts|hostname)$/.test(name))
            fs.rmSync(`${left}/${name}`, { force: true });
        recordEvent(engine.storage, 'cleanup', container);
        if (options.rm || options.rmi) await removeContainer(engine, container, { force: false });
        if (options.rmi && container.imageID !== undefined) {
          const { removeImageIfUnused } = await import('../../container/remove-image.ts');
          await removeImageIfUnused(engine, container.imageID);
        }
        return '';
      },
    );
  },
});
