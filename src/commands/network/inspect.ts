import { UsageError } from '../../base/error.ts';
import { describeNetwork } from '../../container/network/network-members.ts';
import { findNetwork } from '../../network/network.ts';
import { printFailure } from '../../output/failure.ts';
import { defineCommand } from '../command.ts';
import { printFormatted } from '../formatted.ts';
import { withGoNames } from './go-fields.ts';

export const networkInspectCommand = defineCommand({
  paths: [['network', 'inspect']],
  category: 'Networks',
  summary: 'show everything about networks, and who is on them now',
  usage: 'NETWORK...',
  examples: [
    ['Everything', 'tsman network inspect shop'],
    ['Its addresses', "tsman network inspect -f '{{range .Subnets}}{{.Subnet}}{{end}}' shop"],
  ],
  options: { format: { kind: 'text', short: 'f', value: 'FORMAT', help: 'json or a Go template' } },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'networks',
  async run(options, names, { openEngine, stdout, stderr }) {
    if (names.length === 0) throw new UsageError('inspect which network? Give a name');
    const engine = openEngine();
    let exitCode = 0;
    const described = names.flatMap((name) => {
      try {
        return [describeNetwork(engine, findNetwork(engine.storage, name))];
      } catch (error) {
        exitCode = printFailure(error, stderr);
        return [];
      }
    });
    if (options.format === undefined || options.format === 'json')
      await printFormatted(described, 'json', stdout);
    else
      for (const one of described) await printFormatted(withGoNames(one), options.format, stdout);
    return exitCode;
  },
});
