import { UsageError } from '../../base/error.ts';
import { writeAtomically } from '../../base/file.ts';
import { pushList, requireManifestList } from '../../image/manifest-list.ts';
import { removeManifestList } from '../../storage/manifest-lists.ts';
import { defineCommand, type OptionSpecs } from '../command.ts';
import { withProgress } from '../options/pull-options.ts';
import { COMPRESSION_OPTIONS, wantedCompression } from '../options/push-options.ts';
import { REFUSED_PUSH_OPTIONS, refused, refuseOptions } from '../options/refused-options.ts';
import { TRANSFER_OPTIONS, transferAccess } from '../options/registry-options.ts';
import { registryName } from '../transport.ts';

const REFUSED_LIST_OPTIONS = {
  addCompression: refused(
    'a list is pushed with the images it has; --compression-format is for all of them',
  ),
} as const satisfies OptionSpecs;

export const manifestPushCommand = defineCommand({
  paths: [['manifest', 'push']],
  category: 'Images',
  summary: 'copy a list and its images to a registry',
  usage: 'LIST [DESTINATION]',
  examples: [
    ['Under its own name', 'tsman manifest push web'],
    ['Then forget it here', 'tsman manifest push --rm web'],
    ['Elsewhere', 'tsman manifest push web docker://registry.example.com/team/web:1'],
  ],
  options: {
    ...TRANSFER_OPTIONS,
    ...COMPRESSION_OPTIONS,
    ...REFUSED_PUSH_OPTIONS,
    ...REFUSED_LIST_OPTIONS,
    all: { kind: 'flag', default: true, help: 'the images, too (always so)', hidden: true },
    digestfile: { kind: 'text', value: 'FILE', help: "write the list's digest to a file" },
    format: {
      kind: 'text',
      short: 'f',
      value: 'FORMAT',
      help: "the list's and the manifests' form",
      defaultText: 'as stored',
      choices: ['oci', 'v2s2'],
    },
    removeSignatures: { kind: 'flag', help: 'ignored: signatures are never pushed', hidden: true },
    rm: { kind: 'flag', help: 'remove the list when it was pushed' },
  },
  arguments: [1, 2],
  completes: 'images',
  async run(options, [name = '', destination], context) {
    refuseOptions({ ...REFUSED_PUSH_OPTIONS, ...REFUSED_LIST_OPTIONS }, context);
    const engine = context.openEngine();
    const list = requireManifestList(engine.storage, name);
    const to = registryName(destination ?? list.name, 'push');
    const settings = {
      ...(await transferAccess(options, context)),
      format: listFormat(options.format),
      compression: wantedCompression(options, context),
    };
    const digest = await withProgress(context, 'Pushing', options, (onTransfer) =>
      pushList(engine, list, to, { ...settings, onTransfer }),
    );
    if (options.digestfile !== undefined) writeAtomically(options.digestfile, digest, 0o644);
    if (options.rm) removeManifestList(engine.storage, list.name);
    context.stdout.write(`${digest}\n`);
    return 0;
  },
});

function listFormat(text: string | undefined): 'oci' | 'docker' | undefined {
  if (text === undefined || text === 'oci') return text;
  if (text === 'v2s2' || text === 'docker') return 'docker';
  throw new UsageError(`option --format: ${JSON.stringify(text)} is none of oci, v2s2`);
}
