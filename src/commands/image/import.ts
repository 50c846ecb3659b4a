import { isatty } from 'node:tty';
import { UsageError } from '../../base/error.ts';
import { importImage, openImport } from '../../image/import.ts';
import { formatReference, parseLocalReference } from '../../oci/reference.ts';
import { defineCommand } from '../command.ts';

export const importCommand = defineCommand({
  paths: [['import'], ['image', 'import']],
  category: 'Images',
  summary: 'make an image from a tar archive of a root file system',
  usage: 'FILE|URL|- [NAME]',
  examples: [
    ['With a command to run', 'tsman import -c \'CMD ["/bin/sh"]\' rootfs.tar.gz web'],
    ['From another program', 'mmdebstrap bookworm - | tsman import - debian'],
  ],
  options: {
    arch: { kind: 'text', value: 'ARCH', help: 'the architecture', defaultText: "the host's" },
    change: {
      kind: 'list',
      short: 'c',
      value: 'INSTRUCTION',
      help: 'CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR, STOPSIGNAL, ONBUILD',
    },
    message: { kind: 'text', short: 'm', value: 'TEXT', help: 'a comment for the history' },
    os: { kind: 'text', value: 'OS', help: 'the operating system', defaultText: 'linux' },
    platform: {
      kind: 'text',
      value: 'OS/ARCH[/VARIANT]',
      help: '--os, --arch and --variant in one',
    },
    quiet: { kind: 'flag', short: 'q', help: 'no progress' },
    variant: { kind: 'text', value: 'VARIANT', help: "the architecture's variant" },
  },
  isFrugal: true,
  arguments: [1, 2],
  completes: 'files',
  async run(options, [source = '', name], { openEngine, stdin, stdout }) {
    if (source === '-' && isatty(0)) throw new UsageError('import: standard input is a terminal');
    const [os, arch, variant] = options.platform?.split('/') ?? [];
    const names = name === undefined ? [] : [formatReference(parseLocalReference(name))];
    const image = await importImage(
      openEngine(),
      source === '-' ? stdin : await openImport(source),
      {
        names,
        changes: options.change,
        message: options.message ?? `imported from ${source === '-' ? 'standard input' : source}`,
        os: options.os ?? os,
        architecture: options.arch ?? arch,
        variant: options.variant ?? variant,
      },
    );
    stdout.write(`sha256:${image.id}\n`);
    return 0;
  },
});
