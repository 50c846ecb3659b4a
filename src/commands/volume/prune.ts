import { filterVolumes } from '../../container/mounts/volume-filters.ts';
import { removeVolume } from '../../container/mounts/volumes.ts';
import { printFailure } from '../../output/failure.ts';
import { listVolumes, volumeUsers } from '../../storage/volumes.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../prompt.ts';

export const volumePruneCommand = defineCommand({
  paths: [['volume', 'prune']],
  category: 'Volumes',
  summary: 'remove the volumes that no container has',
  usage: '',
  examples: [
    ['Those without a name, without asking', 'tsman volume prune --force'],
    ['Named ones as well', 'tsman volume prune --all'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'named volumes, too, not only anonymous ones' },
    filter: {
      kind: 'list',
      value: 'KEY=VALUE',
      help: 'only those that match: label, label!, until',
    },
    force: { kind: 'flag', short: 'f', help: 'do not ask' },
  },
  arguments: [0, 0],
  async run(options, _args, context) {
    const engine = context.openEngine();
    const { storage } = engine;
    const wanted = filterVolumes(storage, listVolumes(storage), options.filter).filter(
      ({ name, isAnonymous }) =>
        (options.all || isAnonymous) && volumeUsers(storage, name).length === 0,
    );
    const kind = options.all ? 'volumes' : 'anonymous volumes';
    if (!options.force && !(await confirm(`Remove all ${kind} that no container has?`, context)))
      return 0;
    let exitCode = 0;
    for (const volume of wanted) {
      try {
        await removeVolume(engine, volume, { force: false });
        context.stdout.write(`${volume.name}\n`);
      } catch (error) {
        exitCode = printFailure(error, context.stderr);
      }
    }
    return exitCode;
  },
});
