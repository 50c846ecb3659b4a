import { UsageError } from '../../base/error.ts';
import { recordObjectEvent } from '../../container/events/events.ts';
import { printFailure } from '../../output/failure.ts';
import { deleteSecret, findSecret, listSecrets } from '../../storage/secrets.ts';
import { defineCommand } from '../command.ts';

export const secretRmCommand = defineCommand({
  paths: [['secret', 'rm']],
  category: 'Containers',
  summary: 'remove secrets; containers that have one keep it',
  usage: 'SECRET...',
  examples: [
    ['One', 'tsman secret rm db'],
    ['All of them', 'tsman secret rm --all'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'every secret' },
    ignore: { kind: 'flag', short: 'i', help: 'no error for secrets that do not exist' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'secrets',
  run(options, names, { openEngine, stdout, stderr }) {
    const { storage } = openEngine();
    if (options.all === names.length > 0)
      throw new UsageError('which secret? Give names, or --all');
    let exitCode = 0;
    for (const text of options.all ? listSecrets(storage).map(({ id }) => id) : names) {
      try {
        const secret = findSecret(storage, text);
        const { id } = secret;
        deleteSecret(storage, id);
        recordObjectEvent(storage, 'secret', 'remove', secret);
        stdout.write(`${id}\n`);
      } catch (error) {
        if (!options.ignore) exitCode = printFailure(error, stderr);
      }
    }
    return exitCode;
  },
});
