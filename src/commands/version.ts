import { VERSION } from '../base/version.ts';
import { defineCommand } from './command.ts';

export const versionCommand = defineCommand({
  paths: [['version']],
  category: 'System',
  summary: 'show the version',
  usage: '',
  examples: [],
  options: {},
  arguments: [0, 0],
  run(_options, _args, { stdout }) {
    stdout.write(`Version:      ${VERSION}\n`);
    return 0;
  },
});
