import { printFailure } from '../../output/failure.ts';
import { findSecret, readSecret } from '../../storage/secrets.ts';
import { defineCommand } from '../command.ts';
import { printFormatted } from '../formatted.ts';

export const secretInspectCommand = defineCommand({
  paths: [['secret', 'inspect']],
  category: 'Containers',
  summary: 'show what is known about secrets, not their content',
  usage: 'SECRET...',
  examples: [
    ['What it says', 'tsman secret inspect --showsecret db'],
    ['When was it changed?', "tsman secret inspect -f '{{.UpdatedAt}}' db"],
  ],
  options: {
    format: { kind: 'text', short: 'f', value: 'FORMAT', help: 'json or a Go template' },
    pretty: { kind: 'flag', help: 'accepted; the output is indented anyhow' },
    showsecret: { kind: 'flag', help: 'show the content as well' },
  },
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'secrets',
  async run(options, names, { openEngine, stdout, stderr }) {
    const { storage } = openEngine();
    let exitCode = 0;
    const described = names.flatMap((text) => {
      try {
        const secret = findSecret(storage, text);
        const { id, name, createdAt, updatedAt, labels } = secret;
        const Spec = { Name: name, Driver: { Name: 'file', Options: {} }, Labels: labels };
        const shown = options.showsecret
          ? { SecretData: readSecret(storage, secret).toString() }
          : {};
        return [{ ID: id, CreatedAt: createdAt, UpdatedAt: updatedAt, Spec, ...shown }];
      } catch (error) {
        exitCode = printFailure(error, stderr);
        return [];
      }
    });
    if (options.format === undefined || options.format === 'json')
      await printFormatted(described, 'json', stdout);
    else for (const one of described) await printFormatted(one, options.format, stdout);
    return exitCode;
  },
});
