import { UsageError } from '../base/error.ts';
import { diffContainer } from '../container/files/diff.ts';
import { defineCommand } from './command.ts';
import { printChanges } from './rows/diff-output.ts';
import { existingContainer, existingContainers } from './selection.ts';

export const diffCommand = defineCommand({
  paths: [['diff'], ['container', 'diff']],
  category: 'Containers',
  summary: 'list the files a container added (A), changed (C) and deleted (D)',
  usage: 'CONTAINER',
  examples: [
    ['For a program', 'tsman diff --format json job'],
    ['What a build step left behind', 'tsman diff job'],
  ],
  options: {
    format: { kind: 'text', value: 'FORMAT', help: 'json', choices: ['json'] },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  },
  arguments: [0, 1],
  completes: 'containers',
  async run(options, [name], { openEngine, stdout }) {
    const engine = openEngine();
    const latest = options.latest ? existingContainers(engine).at(-1) : undefined;
    if (latest === undefined && name === undefined)
      throw new UsageError('which container? Give a name or ID, or --latest');
    const container = latest ?? existingContainer(engine, name ?? '');
    const changes = await diffContainer(engine, container);
    printChanges(changes, options.format, stdout);
    return 0;
  },
});
