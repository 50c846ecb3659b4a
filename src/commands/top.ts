import { TsmanError, UsageError } from '../base/error.ts';
import { execAndBecome } from '../container/exec.ts';
import { areDescriptors, TOP_DESCRIPTORS, topTable } from '../container/processes/top.ts';
import { readState } from '../container/state.ts';
import { formatTable } from '../output/table.ts';
import { defineCommand } from './command.ts';
import { existingContainer, existingContainers } from './selection.ts';

export const topCommand = defineCommand({
  paths: [['top'], ['container', 'top']],
  category: 'Containers',
  summary: "show a container's processes",
  usage: 'CONTAINER [DESCRIPTOR...|PS-OPTION...]',
  examples: [
    ['With the pids of the host', 'tsman top web pid hpid user args'],
    ["What the container's own ps says", 'tsman top web -eo pid,comm'],
  ],
  options: {
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    listDescriptors: { kind: 'flag', help: 'list the descriptors', hidden: true },
  },
  stopAtArgument: true,
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'running',
  async run(options, args, { openEngine, stdout }) {
    if (options.listDescriptors) {
      stdout.write(`${TOP_DESCRIPTORS.join('\n')}\n`);
      return 0;
    }
    const engine = openEngine();
    const latest = options.latest ? existingContainers(engine).at(-1) : undefined;
    if (latest === undefined && args[0] === undefined)
      throw new UsageError('which container? Give a name or ID, or --latest');
    const container = latest ?? existingContainer(engine, args[0] ?? '');
    const words = latest === undefined ? args.slice(1) : args;
    const state = readState(engine.directories, container.id);
    if (state.pid === 0)
      throw new TsmanError(`container ${container.name} is not running`, {
        hint: `start it first: tsman start ${container.name}`,
      });
    if (words[0]?.startsWith('-') !== true && (words.length !== 1 || areDescriptors(words))) {
      stdout.write(formatTable(topTable(state, words)));
      return 0;
    }
    return await execAndBecome(engine, container, {
      ...{ command: ['ps', ...words], env: [], envFiles: [], user: undefined, workdir: '/' },
      ...{ terminal: false, interactive: false, detach: false, privileged: false },
      ...{ sigProxy: false, preservedFds: 0 },
      detachKeys: undefined,
    });
  },
});
