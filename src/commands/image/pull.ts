import { pullAllTags, pullImage } from '../../image/pull.ts';
import { defineCommand } from '../command.ts';
import {
  PLATFORM_OPTIONS,
  parsePullPolicy,
  platformWish,
  withProgress,
} from '../options/pull-options.ts';
import { REFUSED_PULL_OPTIONS, refuseOptions } from '../options/refused-options.ts';
import { TRANSFER_OPTIONS, transferAccess } from '../options/registry-options.ts';
import { nameChooser } from '../request/choose-name.ts';
import { registryName } from '../transport.ts';

export const pullCommand = defineCommand({
  paths: [['pull'], ['image', 'pull']],
  category: 'Images',
  summary: 'copy images from a registry into local storage',
  usage: 'IMAGE [IMAGE...]',
  examples: [
    ['Pull from Docker Hub', 'tsman pull debian:12'],
    ["Pull another machine's variant", 'tsman pull --platform linux/arm64 debian'],
    ['Pull from a registry without TLS', 'tsman pull --tls-verify=false registry.lan:5000/web'],
  ],
  options: {
    ...TRANSFER_OPTIONS,
    ...PLATFORM_OPTIONS,
    ...REFUSED_PULL_OPTIONS,
    allTags: { kind: 'flag', short: 'a', help: 'every tag of the repository' },
    policy: {
      kind: 'text',
      value: 'POLICY',
      help: 'when to ask the registry',
      defaultText: 'always',
      choices: ['always', 'missing', 'newer', 'never'],
    },
  },
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run(options, typed, context) {
    refuseOptions(REFUSED_PULL_OPTIONS, context);
    const names = typed.map((name) => registryName(name, 'pull'));
    const engine = context.openEngine();
    const settings = {
      ...(await transferAccess(options, context)),
      platform: platformWish(options),
      policy: parsePullPolicy(options.policy, '--policy') ?? 'always',
      choose: nameChooser(context),
    };
    for (const name of names) {
      const records = await withProgress(context, 'Pulling', options, async (onTransfer) =>
        options.allTags
          ? await pullAllTags(engine, name, { ...settings, onTransfer })
          : [await pullImage(engine, name, { ...settings, onTransfer })],
      );
      for (const id of new Set(records.map((record) => record.id))) context.stdout.write(`${id}\n`);
    }
    return 0;
  },
});
