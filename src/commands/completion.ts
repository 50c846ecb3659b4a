import { existsSync, readFileSync } from 'node:fs';
import { TsmanError, UsageError } from '../base/error.ts';
import { completionPaths } from '../helper/location.ts';
import { defineCommand } from './command.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const completionCommand = defineCommand({
  paths: [['completion']],
  category: 'System',
  summary: 'print the completion of tsman for a shell',
  usage: 'bash|zsh|fish',
  examples: [
    ['In this bash', 'source <(tsman completion bash)'],
    ['For good, in fish', 'tsman completion fish > ~/.config/fish/completions/tsman.fish'],
  ],
  options: {},
  arguments: [1, 1],
  run(_options, [shell = ''], { stdout }) {
    const known = SHELLS.find((each) => each === shell);
    if (known === undefined)
      throw new UsageError(`no completion for ${JSON.stringify(shell)}`, {
        hint: `there are ${SHELLS.join(', ')}`,
      });
    const path = completionPaths(known).find((each) => existsSync(each));
    if (path === undefined)
      throw new TsmanError(`tsman.${known} was not installed with tsman`, {
        hint: 'it is in completions/ of the source',
      });
    stdout.write(readFileSync(path, 'utf8'));
    return 0;
  },
});
