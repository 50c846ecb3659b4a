import { listMembers } from '../../image/list-members.ts';
import { addToList, requireManifestList, withListLease } from '../../image/manifest-list.ts';
import { defineCommand } from '../command.ts';
import { REFUSED_ARTIFACT_OPTIONS, refuseOptions } from '../options/refused-options.ts';
import { TRANSFER_OPTIONS, transferAccess } from '../options/registry-options.ts';
import { ENTRY_OPTIONS, entryChanges } from './entry-options.ts';

export const manifestAddCommand = defineCommand({
  paths: [['manifest', 'add']],
  category: 'Images',
  summary: 'add images, of the store or of a registry, to a list',
  usage: 'LIST IMAGE...',
  examples: [
    ['An image from here', 'tsman manifest add web localhost/web:arm64'],
    ['All platforms of an image', 'tsman manifest add --all web docker://debian:12'],
  ],
  options: {
    ...TRANSFER_OPTIONS,
    ...ENTRY_OPTIONS,
    ...REFUSED_ARTIFACT_OPTIONS,
    all: { kind: 'flag', help: 'every image of a multi-platform one' },
  },
  arguments: [2, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run(options, [name = '', ...images], context) {
    refuseOptions(REFUSED_ARTIFACT_OPTIONS, context);
    const engine = context.openEngine();
    const changes = entryChanges(options);
    let list = requireManifestList(engine.storage, name);
    const access = await transferAccess(options, context);
    await withListLease(engine, async () => {
      for (const image of images)
        for (const member of await listMembers(engine, image, options.all, {
          ...access,
          platform:
            options.arch === undefined && options.os === undefined
              ? undefined
              : { architecture: options.arch, os: options.os, variant: options.variant },
        }))
          list = addToList(engine.storage, list, member, changes);
    });
    context.stdout.write(`${list.name}: ${list.digest}\n`);
    return 0;
  },
});
