import { UsageError } from '../base/error.ts';
import { writeAtomically } from '../base/file.ts';
import { recordEvent } from '../container/events/events.ts';
import { commitContainer } from '../container/files/commit.ts';
import { formatReference, parseLocalReference } from '../oci/reference.ts';
import { defineCommand } from './command.ts';
import { withPause } from './pause-while.ts';
import { existingContainer } from './selection.ts';

export const commitCommand = defineCommand({
  paths: [['commit'], ['container', 'commit']],
  category: 'Containers',
  summary: 'make an image from what a container is now',
  usage: 'CONTAINER [IMAGE]',
  examples: [
    ['With another command to run', `tsman commit -c 'CMD ["nginx"]' web localhost/web:2`],
    ['All of it in one layer', 'tsman commit --squash web localhost/web:flat'],
  ],
  options: {
    author: { kind: 'text', short: 'a', value: 'NAME', help: 'who made the image' },
    change: {
      kind: 'list',
      short: 'c',
      value: 'INSTRUCTION',
      help: 'CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR, STOPSIGNAL, ONBUILD',
    },
    format: {
      kind: 'text',
      short: 'f',
      value: 'FORMAT',
      help: "the manifest's form",
      defaultText: 'oci',
      choices: ['oci', 'docker'],
    },
    iidfile: { kind: 'text', value: 'FILE', help: "write the image's ID to a file" },
    includeVolumes: { kind: 'flag', help: "the container's volumes become the image's" },
    message: { kind: 'text', short: 'm', value: 'TEXT', help: 'a comment for the history' },
    pause: { kind: 'flag', short: 'p', help: 'stop the processes of the container meanwhile' },
    quiet: { kind: 'flag', short: 'q', help: 'no progress' },
    squash: { kind: 'flag', short: 's', help: "one layer instead of the image's and one more" },
  },
  isFrugal: true,
  arguments: [1, 2],
  completes: 'containers',
  async run(options, [name = '', imageName], context) {
    const engine = context.openEngine();
    const { format = 'oci' } = options;
    if (format !== 'oci' && format !== 'docker')
      throw new UsageError(`option --format: ${JSON.stringify(format)} is neither oci nor docker`);
    const container = existingContainer(engine, name);
    const image = await withPause(engine, container, options.pause, context.stderr, () =>
      commitContainer(engine, container, {
        names: imageName === undefined ? [] : [formatReference(parseLocalReference(imageName))],
        changes: options.change,
        author: options.author,
        message: options.message,
        format,
        squash: options.squash,
        includeVolumes: options.includeVolumes,
      }),
    );
    recordEvent(engine.storage, 'commit', container);
    if (options.iidfile !== undefined)
      writeAtomically(options.iidfile, `sha256:${image.id}`, 0o644);
    context.stdout.write(`${image.id}\n`);
    return 0;
  },
});
