import { UsageError } from '../../base/error.ts';
import { describeVolume } from '../../container/mounts/volumes.ts';
import { printFailure } from '../../output/failure.ts';
import { findVolume, listVolumes } from '../../storage/volumes.ts';
import { defineCommand } from '../command.ts';
import { printFormatted } from '../formatted.ts';

export const volumeInspectCommand = defineCommand({
  paths: [['volume', 'inspect']],
  category: 'Volumes',
  summary: 'show everything about volumes',
  usage: 'VOLUME...',
  examples: [
    ['Everything', 'tsman volume inspect data'],
    ['All volumes', 'tsman volume inspect --all'],
    ['Where its files are', "tsman volume inspect --format '{{.Mountpoint}}' data"],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'every volume' },
    format: { kind: 'text', short: 'f', value: 'FORMAT', help: 'json or a Go template' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'volumes',
  async run(options, names, { openEngine, stdout, stderr }) {
    const { storage } = openEngine();
    if (options.all === names.length > 0)
      throw new UsageError('which volume? Give names, or --all');
    let exitCode = 0;
    const chosen = options.all
      ? listVolumes(storage)
      : names.flatMap((name) => {
          try {
            return [findVolume(storage, name)];
          } catch (error) {
            exitCode = printFailure(error, stderr);
            return [];
          }
        });
    const described = chosen.map((volume) => describeVolume(storage, volume));
    if (options.format === undefined || options.format === 'json')
      await printFormatted(described, 'json', stdout);
    else for (const one of described) await printFormatted(one, options.format, stdout);
    return exitCode;
  },
});
