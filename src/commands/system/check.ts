import { TsmanError } from '../../base/error.ts';
import { checkStore } from '../../container/repair.ts';
import { defineCommand } from '../command.ts';
import { durationMs } from '../duration.ts';

export const systemCheckCommand = defineCommand({
  paths: [['system', 'check']],
  category: 'System',
  summary: 'look for damage in the store, and repair it',
  usage: '',
  examples: [
    ['Without reading everything', 'tsman system check --quick'],
    ['Unpack missing layers again, remove images that are lost', 'tsman system check --repair'],
  ],
  options: {
    force: {
      kind: 'flag',
      short: 'f',
      help: 'with --repair: also remove containers of lost images',
    },
    max: {
      kind: 'text',
      short: 'm',
      value: 'DURATION',
      help: 'what no image has had for so long is damage (default 24h)',
    },
    quick: {
      kind: 'flag',
      short: 'q',
      help: 'look at sizes and names instead of reading every blob and every layer',
    },
    repair: { kind: 'flag', short: 'r', help: 'repair what is found' },
  },
  arguments: [0, 0],
  async run({ force, max, quick, repair }, _args, { openEngine, stdout }) {
    const unreferencedMaxMs = durationMs(max ?? '24h', '--max');
    const options = { isQuick: quick, unreferencedMaxMs, repair, force };
    const { damages, repaired, abandoned } = await checkStore(openEngine(), options);
    stdout.write(repaired.map((line) => `${line}\n`).join(''));
    stdout.write(damages.map(({ text }) => `${text}\n`).join(''));
    if (abandoned > 0)
      stdout.write(`${abandoned} directories of containers have no record; prune removes them\n`);
    if (damages.length === 0) return 0;
    throw new TsmanError(`the store has ${damages.length} damages`, {
      hint: repair
        ? 'stop what runs on them; --force removes the containers of lost images, too'
        : 'tsman system check --repair mends what can be mended',
    });
  },
});
