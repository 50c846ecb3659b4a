import { TsmanError } from '../../base/error.ts';
import { listName } from '../../image/manifest-list.ts';
import { printFailure } from '../../output/failure.ts';
import { collectGarbage } from '../../storage/garbage.ts';
import { removeManifestList } from '../../storage/manifest-lists.ts';
import { defineCommand } from '../command.ts';

export const manifestRmCommand = defineCommand({
  paths: [['manifest', 'rm']],
  category: 'Images',
  summary: 'remove lists; their images stay',
  usage: 'LIST...',
  examples: [
    ['The list, not its images', 'tsman manifest rm web'],
    ['No error when it has gone', 'tsman manifest rm --ignore web'],
  ],
  options: {
    ignore: { kind: 'flag', short: 'i', help: 'no error for lists that do not exist' },
  },
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run({ ignore }, names, { openEngine, stdout, stderr }) {
    const engine = openEngine();
    let exitCode = 0;
    for (const name of names) {
      if (removeManifestList(engine.storage, listName(name)))
        stdout.write(`Untagged: ${listName(name)}\n`);
      else if (!ignore)
        exitCode = printFailure(new TsmanError(`${name}: no manifest list of this name`), stderr);
    }
    await collectGarbage(engine);
    return exitCode;
  },
});
