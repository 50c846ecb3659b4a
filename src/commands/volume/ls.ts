import { filterVolumes } from '../../container/mounts/volume-filters.ts';
import { describeVolume } from '../../container/mounts/volumes.ts';
import { formatRows } from '../../output/template.ts';
import { listVolumes } from '../../storage/volumes.ts';
import { defineCommand } from '../command.ts';

const HEADERS = {
  Name: 'VOLUME NAME',
  Driver: 'DRIVER',
  Mountpoint: 'MOUNTPOINT',
  CreatedAt: 'CREATED AT',
  Labels: 'LABELS',
  Scope: 'SCOPE',
  Options: 'OPTIONS',
  Anonymous: 'ANONYMOUS',
  MountCount: 'MOUNT COUNT',
};

export const volumeLsCommand = defineCommand({
  paths: [
    ['volume', 'ls'],
    ['volume', 'list'],
  ],
  category: 'Volumes',
  summary: 'list volumes',
  usage: '',
  examples: [
    ['All', 'tsman volume ls'],
    ['Names only', 'tsman volume ls --quiet'],
    ['Those that no container has', 'tsman volume ls -f dangling=true'],
  ],
  options: {
    filter: {
      kind: 'list',
      short: 'f',
      value: 'KEY=VALUE',
      help: 'only those that match: name, label, dangling, driver, opt, scope, anonymous, since, until',
    },
    format: { kind: 'text', value: 'FORMAT', help: 'json, a Go template, or "table TEMPLATE"' },
    noheading: { kind: 'flag', short: 'n', help: 'no header line' },
    quiet: { kind: 'flag', short: 'q', help: 'only names' },
  },
  arguments: [0, 0],
  run(options, _args, { openEngine, stdout }) {
    const { storage } = openEngine();
    const volumes = filterVolumes(storage, listVolumes(storage), options.filter);
    if (options.quiet) {
      stdout.write(volumes.map(({ name }) => `${name}\n`).join(''));
      return 0;
    }
    const rows = volumes.map((volume) => {
      const described = describeVolume(storage, volume);
      if (options.format === 'json') return described;
      const labels = Object.entries(volume.labels).map(([key, value]) => `${key}=${value}`);
      return { Anonymous: false, ...described, Labels: labels.join(',') };
    });
    const format = options.format ?? 'table {{.Driver}}\\t{{.Name}}';
    stdout.write(formatRows(format, rows, HEADERS, !options.noheading));
    return 0;
  },
});
