import type { Result } from '../doctor/examine.ts';
import { type CommandContext, defineCommand } from './command.ts';

export const doctorCommand = defineCommand({
  paths: [['doctor'], ['system', 'doctor']],
  category: 'System',
  summary: 'check what containers need of this machine, and say how to mend what is missing',
  usage: '',
  examples: [
    ['Everything', 'tsman doctor'],
    ['Only what is missing', 'tsman doctor --json | jq \'.[] | select(.verdict == "missing")\''],
  ],
  options: {
    json: { kind: 'flag', help: 'print a JSON array: check, verdict, text, fix' },
    quiet: { kind: 'flag', short: 'q', help: 'print only what is not in order' },
  },
  arguments: [0, 0],
  async run(options, _args, context) {
    const { examine } = await import('../doctor/examine.ts');
    const { localHost } = await import('./local-host.ts');
    const results = examine(localHost(context.places));
    const isMissing = results.some(({ verdict }) => verdict === 'missing');
    if (options.json) context.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
    else
      print(options.quiet ? results.filter(({ verdict }) => verdict !== 'ok') : results, context);
    return isMissing ? 1 : 0;
  },
});

function print(results: readonly Result[], { stdout }: CommandContext): void {
  for (const { check, verdict, text, fix } of results) {
    stdout.write(`${verdict.padEnd(9)}${check.padEnd(18)}${text}\n`);
    if (fix !== undefined) stdout.write(`${' '.repeat(27)}fix: ${fix}\n`);
  }
}
