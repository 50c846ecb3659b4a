import { TsmanError } from '../../base/error.ts';
import { parseLabels } from '../../container/environment.ts';
import { anonymousVolume, createVolume } from '../../container/mounts/volumes.ts';
import { defineCommand } from '../command.ts';
import { parsePairs } from '../request/values.ts';

export const volumeCreateCommand = defineCommand({
  paths: [['volume', 'create']],
  category: 'Volumes',
  summary: 'make a volume',
  usage: '[NAME]',
  examples: [
    ['In memory, at most 64 MiB', 'tsman volume create -o type=tmpfs -o o=size=64m scratch'],
    ['A directory of the host', 'tsman volume create -o o=bind -o device=/srv/data data'],
  ],
  options: {
    driver: { kind: 'text', short: 'd', value: 'DRIVER', help: 'local, the only one' },
    gid: { kind: 'text', value: 'GID', help: 'group that owns it' },
    ignore: { kind: 'flag', help: 'no error when it exists' },
    label: { kind: 'list', short: 'l', value: 'KEY=VALUE', help: 'add a label' },
    opt: { kind: 'list', short: 'o', value: 'KEY=VALUE', help: 'type=, device= or o=' },
    uid: { kind: 'text', value: 'UID', help: 'user that owns it' },
  },
  arguments: [0, 1],
  async run(options, [name], { openEngine, stdout }) {
    if ((options.driver ?? 'local') !== 'local')
      throw new TsmanError(`there is no volume driver ${JSON.stringify(options.driver)}`);
    const owner = [
      ...(options.uid === undefined ? [] : [`uid=${options.uid}`]),
      ...(options.gid === undefined ? [] : [`gid=${options.gid}`]),
    ];
    const opts = parsePairs('--opt', options.opt);
    const words = [...(opts['o'] === undefined ? [] : [opts['o']]), ...owner].join(',');
    const wanted = anonymousVolume();
    const volume = {
      name: name ?? wanted.name,
      // Made by hand: it stays until it is removed by hand.
      isAnonymous: false,
      labels: parseLabels(options.label, []),
      options: words === '' ? opts : { ...opts, o: words },
    };
    if (!(await createVolume(openEngine(), volume)) && !options.ignore)
      throw new TsmanError(`volume ${volume.name} exists`, {
        hint: `remove it with tsman volume rm ${volume.name}, or use --ignore`,
      });
    stdout.write(`${volume.name}\n`);
    return 0;
  },
});
