import { TsmanError } from '../../base/error.ts';
import { volumeType } from '../../container/mounts/volume-options.ts';
import { findVolume, volumeData } from '../../storage/volumes.ts';
import { defineCommand } from '../command.ts';

/** Our volumes are directories: there is nothing to mount, only to be told where they are. */
export const volumeMountCommand = defineCommand({
  paths: [['volume', 'mount']],
  category: 'Volumes',
  summary: 'print the directory of a volume',
  usage: 'VOLUME...',
  examples: [
    ['Look into it', 'ls "$(tsman volume mount data)"'],
    ['Where it is', 'tsman volume mount data'],
  ],
  options: {},
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'volumes',
  run(_options, names, { openEngine, stdout }) {
    const { storage, directories } = openEngine();
    for (const text of names) {
      const { name, options } = findVolume(storage, text);
      if (volumeType(options) === 'tmpfs')
        throw new TsmanError(`volume ${name} is a tmpfs: it exists inside each container only`);
      stdout.write(`${options['device'] ?? volumeData(directories, name)}\n`);
    }
    return 0;
  },
});

export const volumeUnmountCommand = defineCommand({
  paths: [['volume', 'unmount']],
  category: 'Volumes',
  summary: 'nothing: volumes are directories, never mounted on the host',
  usage: 'VOLUME...',
  examples: [
    ['Several', 'tsman volume unmount data cache'],
    ['For scripts made for Podman', 'tsman volume unmount data'],
  ],
  options: {},
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'volumes',
  run(_options, names, { openEngine, stdout }) {
    const { storage } = openEngine();
    for (const name of names) stdout.write(`${findVolume(storage, name).name}\n`);
    return 0;
  },
});
