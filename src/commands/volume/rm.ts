import { UsageError } from '../../base/error.ts';
import { removeVolume } from '../../container/mounts/volumes.ts';
import { printFailure } from '../../output/failure.ts';
import { findVolume, listVolumes, volumeByName } from '../../storage/volumes.ts';
import { defineCommand } from '../command.ts';

export const volumeRmCommand = defineCommand({
  paths: [
    ['volume', 'rm'],
    ['volume', 'remove'],
  ],
  category: 'Volumes',
  summary: 'remove volumes and what is in them',
  usage: 'VOLUME...',
  examples: [
    ['Several', 'tsman volume rm data cache'],
    ['With the containers that have it', 'tsman volume rm -f data'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'every volume' },
    force: { kind: 'flag', short: 'f', help: 'remove the containers that have it, too' },
    time: { kind: 'text', short: 't', value: 'SECONDS', help: 'accepted; --force kills at once' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'volumes',
  async run(options, names, { openEngine, stdout, stderr }) {
    const engine = openEngine();
    if (options.all === names.length > 0)
      throw new UsageError('which volume? Give names, or --all');
    const chosen = options.all ? listVolumes(engine.storage).map(({ name }) => name) : names;
    let exitCode = 0;
    for (const text of chosen) {
      try {
        if (options.force && volumeByName(engine.storage, text) === undefined) continue;
        const volume = findVolume(engine.storage, text);
        await removeVolume(engine, volume, { force: options.force });
        stdout.write(`${text}\n`);
      } catch (error) {
        exitCode = printFailure(error, stderr);
      }
    }
    return exitCode;
  },
});
