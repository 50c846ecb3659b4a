import { UsageError } from '../base/error.ts';
import { archiveOf, type CopyEnd, copyArchive, copyTree } from '../container/files/copy.ts';
import { writeTar } from '../container/mounts/volume-archive.ts';
import { decompressed } from '../storage/decompress.ts';
import { defineCommand } from './command.ts';
import { closeEnd, openEnd, ownerAt, parseEnd } from './cp-ends.ts';

export const cpCommand = defineCommand({
  paths: [['cp'], ['container', 'cp']],
  category: 'Containers',
  summary: 'copy files between containers and the host',
  usage: '[CONTAINER:]SOURCE|- [CONTAINER:]DESTINATION|-',
  examples: [
    ['Out of a container', 'tsman cp web:/etc/nginx/nginx.conf .'],
    ['What is in a directory, not itself', 'tsman cp site/. web:/usr/share/nginx/html'],
    ['As an archive', 'tsman cp web:/var/log - | tar tv'],
  ],
  options: {
    archive: {
      kind: 'flag',
      short: 'a',
      default: true,
      help: "files belong to the container's user; =false keeps the owners of the source",
    },
    overwrite: { kind: 'flag', help: 'a directory may replace a file, and a file a directory' },
  },
  arguments: [2, 2],
  completes: 'containers',
  async run(options, [from = '', to = ''], { openEngine, stdin, stdout }) {
    const engine = openEngine();
    const [source, destination] = [parseEnd(engine, from), parseEnd(engine, to)];
    if (source.container === undefined && destination.container === undefined)
      throw new UsageError('cp: neither is in a container', {
        hint: 'paths in a container are written CONTAINER:PATH',
      });
    const output = destination.isStream ? undefined : await openEnd(engine, destination);
    let input: CopyEnd | undefined;
    try {
      if (!source.isStream)
        input = await openEnd(engine, source, { typed: destination, opened: output });
      if (output === undefined) {
        if (input === undefined) return 0;
        await writeTar(input.agent, await archiveOf(input), stdout.stream);
        return 0;
      }
      const owner = await ownerAt(destination, output.agent, options.archive);
      const settings = { owner, overwrite: options.overwrite };
      if (input === undefined) await copyArchive(decompressed(stdin), output, settings);
      else await copyTree(input, output, settings);
      return 0;
    } finally {
      await Promise.all([closeEnd(input), closeEnd(output)]);
    }
  },
});
