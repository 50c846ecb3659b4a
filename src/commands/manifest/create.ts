import { listMembers } from '../../image/list-members.ts';
import {
  addToList,
  annotateList,
  listName,
  parseAnnotations,
  withListLease,
} from '../../image/manifest-list.ts';
import { digestHex } from '../../oci/digest.ts';
import { createManifestList, findManifestList } from '../../storage/manifest-lists.ts';
import { defineCommand } from '../command.ts';
import { TRANSFER_OPTIONS, transferAccess } from '../options/registry-options.ts';

export const manifestCreateCommand = defineCommand({
  paths: [['manifest', 'create']],
  category: 'Images',
  summary: 'make a list of images for several platforms',
  usage: 'LIST [IMAGE...]',
  examples: [
    ['An empty one', 'tsman manifest create web'],
    ['Again, in the place of the old', 'tsman manifest create --amend web web:amd64 web:arm64'],
    ['Of two images', 'tsman manifest create web web:amd64 web:arm64'],
  ],
  options: {
    ...TRANSFER_OPTIONS,
    all: { kind: 'flag', help: 'every image of a multi-platform one' },
    amend: { kind: 'flag', short: 'a', help: 'add to a list that exists' },
    annotation: { kind: 'list', value: 'KEY=VALUE', help: 'an annotation of the list' },
  },
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run(options, [name = '', ...images], context) {
    const engine = context.openEngine();
    const full = listName(name);
    const annotations = parseAnnotations(options.annotation);
    const access = await transferAccess(options, context);
    await withListLease(engine, async () => {
      const known = options.amend ? findManifestList(engine.storage, full) : undefined;
      let list =
        known === undefined
          ? createManifestList(engine.storage, full, { replace: false, annotations })
          : annotateList(engine.storage, known, annotations);
      for (const image of images)
        for (const member of await listMembers(engine, image, options.all, access))
          list = addToList(engine.storage, list, member, { platform: {}, annotations: {} });
      context.stdout.write(`${digestHex(list.digest)}\n`);
    });
    return 0;
  },
});
