import { isatty } from 'node:tty';
import { UsageError } from '../../base/error.ts';
import { loadImages } from '../../image/load.ts';
import { defineCommand } from '../command.ts';

export const loadCommand = defineCommand({
  paths: [['load'], ['image', 'load']],
  category: 'Images',
  summary: 'load images from an archive or directory made by save',
  usage: '',
  examples: [
    ['From a file', 'tsman load -i debian.tar'],
    ['From another machine', 'ssh host tsman save debian | tsman load'],
  ],
  options: {
    input: {
      kind: 'text',
      short: 'i',
      value: 'FILE',
      help: 'an archive or a directory',
      defaultText: 'standard input',
    },
    quiet: { kind: 'flag', short: 'q', help: 'no progress' },
  },
  isFrugal: true,
  arguments: [0, 0],
  async run({ input }, _args, { openEngine, stdin, stdout }) {
    if ((input === undefined || input === '-') && isatty(0)) {
      throw new UsageError('load: standard input is a terminal', {
        hint: 'give an archive with -i, or with < archive.tar',
      });
    }
    const images = await loadImages(
      openEngine(),
      input === undefined || input === '-' ? stdin : input,
    );
    for (const { names, id } of images) {
      const shown = names.length === 0 ? [`sha256:${id}`] : names;
      stdout.write(shown.map((name) => `Loaded image: ${name}\n`).join(''));
    }
    return 0;
  },
});
