import { TsmanError, UsageError } from '../../base/error.ts';
import { writeAtomically } from '../../base/file.ts';
import { pushImage } from '../../image/push.ts';
import { formatReference, parseReference, repositoryName } from '../../oci/reference.ts';
import { matchedName, requireImage } from '../../storage/image-lookup.ts';
import { getImage, type ImageRecord, listImages } from '../../storage/images.ts';
import type { Storage } from '../../storage/storage.ts';
import { defineCommand } from '../command.ts';
import { withProgress } from '../options/pull-options.ts';
import { COMPRESSION_OPTIONS, oneOf, wantedCompression } from '../options/push-options.ts';
import { REFUSED_PUSH_OPTIONS, refuseOptions } from '../options/refused-options.ts';
import { TRANSFER_OPTIONS, transferAccess } from '../options/registry-options.ts';
import { registryName } from '../transport.ts';

export const pushCommand = defineCommand({
  paths: [['push'], ['image', 'push']],
  category: 'Images',
  summary: 'copy an image to a registry',
  usage: 'IMAGE [DESTINATION]',
  examples: [
    ['Under its own name', 'tsman push registry.example.com/team/web:1'],
    [
      'Compressed with zstd, the digest in a file',
      'tsman push --compression-format zstd --digestfile digest registry.example.com/team/web:1',
    ],
    ['Under another name', 'tsman push web registry.example.com/team/web:1'],
  ],
  options: {
    ...TRANSFER_OPTIONS,
    allTags: { kind: 'flag', short: 'a', help: 'every tag of the repository' },
    ...COMPRESSION_OPTIONS,
    ...REFUSED_PUSH_OPTIONS,
    digestfile: { kind: 'text', value: 'FILE', help: "write the manifest's digest to a file" },
    format: {
      kind: 'text',
      short: 'f',
      value: 'FORMAT',
      help: "the manifest's form",
      defaultText: 'as stored',
      choices: ['oci', 'docker'],
    },
    removeSignatures: { kind: 'flag', help: 'ignored: signatures are never pushed', hidden: true },
  },
  arguments: [1, 2],
  completes: 'images',
  async run(options, [name = '', destination], context) {
    refuseOptions(REFUSED_PUSH_OPTIONS, context);
    const engine = context.openEngine();
    const { storage } = engine;
    const settings = {
      ...(await transferAccess(options, context)),
      format: oneOf('--format', options.format === 'v2s2' ? 'docker' : options.format, [
        'oci',
        'docker',
      ] as const),
      compression: wantedCompression(options, context),
    };
    if (options.allTags && destination !== undefined)
      throw new UsageError('--all-tags takes no destination');
    const jobs = options.allTags ? everyTag(storage, name) : [single(storage, name, destination)];
    for (const { image, to } of jobs) {
      const digest = await withProgress(context, 'Pushing', options, (onTransfer) =>
        pushImage(engine, image, to, { ...settings, onTransfer }),
      );
      if (options.digestfile !== undefined) writeAtomically(options.digestfile, digest, 0o644);
      if (!options.quiet) context.stderr.write(`${to}: digest: ${digest}\n`);
    }
    return 0;
  },
});

interface Job {
  readonly image: ImageRecord;
  readonly to: string;
}

function single(storage: Storage, name: string, destination: string | undefined): Job {
  const to = destination === undefined ? undefined : registryName(destination, 'push');
  const image = requireImage(storage, name);
  const place = to ?? matchedName(image, name);
  if (place === undefined)
    throw new TsmanError(`push ${name}: where to?`, {
      hint: 'give a destination, e.g. registry.example.com/name:tag',
    });
  return { image, to: place };
}

function everyTag(storage: Storage, name: string): Job[] {
  const wanted = repositoryName(parseReference(name));
  const jobs = listImages(storage).flatMap((image) =>
    image.names
      .map((each) => parseReference(each))
      .filter((each) => each.tag !== undefined && repositoryName(each) === wanted)
      .map((each) => formatReference(each))
      .map((to) => ({ image: getImage(storage, image.id, image.manifestOf.get(to)), to })),
  );
  if (jobs.length === 0) throw new TsmanError(`${name}: no image of this name has a tag`);
  return jobs;
}
