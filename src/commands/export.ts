import { once } from 'node:events';
import * as fs from 'node:fs';
import { isatty } from 'node:tty';
import { TsmanError, UsageError } from '../base/error.ts';
import { recordEvent } from '../container/events/events.ts';
import { exportContainer } from '../container/files/export.ts';
import { defineCommand } from './command.ts';
import { existingContainer } from './selection.ts';

export const exportCommand = defineCommand({
  paths: [['export'], ['container', 'export']],
  category: 'Containers',
  summary: "write a container's root file system as a tar archive",
  usage: 'CONTAINER',
  examples: [
    ['To a file', 'tsman export -o web.tar web'],
    ['What is in it', 'tsman export web | tar -t'],
  ],
  options: {
    output: { kind: 'text', short: 'o', value: 'FILE', help: 'write to a file, not to stdout' },
  },
  arguments: [1, 1],
  completes: 'containers',
  async run(options, [name = ''], { openEngine, stdout }) {
    if (options.output === undefined && isatty(1))
      throw new UsageError('export: refusing to write an archive to a terminal', {
        hint: 'use -o FILE, or redirect stdout',
      });
    const engine = openEngine();
    const container = existingContainer(engine, name);
    if (options.output === undefined) await exportContainer(engine, container, stdout.stream);
    else await writeFile(options.output, (stream) => exportContainer(engine, container, stream));
    recordEvent(engine.storage, 'export', container);
    return 0;
  },
});

/** A regular file is written beside and renamed: with its final name it is whole. */
async function writeFile(
  path: string,
  write: (stream: fs.WriteStream) => Promise<void>,
): Promise<void> {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  const isPlain = stat === undefined || stat.isFile();
  const aside = isPlain ? `${path}.${process.pid}.tmp` : path;
  const stream = fs.createWriteStream(aside, { flags: isPlain ? 'wx' : 'w' });
  try {
    await Promise.race([
      write(stream),
      once(stream, 'error').then(([error]) => {
        throw error;
      }),
    ]);
    await new Promise<void>((resolve, reject) => stream.on('error', reject).end(resolve));
    if (isPlain) fs.renameSync(aside, path);
  } catch (cause) {
    stream.destroy();
    if (isPlain) fs.rmSync(aside, { force: true });
    throw new TsmanError(`write ${path}`, { cause });
  }
}
