import { UsageError } from '../../base/error.ts';
import {
  annotateEntry,
  annotateList,
  parseAnnotations,
  requireManifestList,
  withListLease,
} from '../../image/manifest-list.ts';
import { defineCommand } from '../command.ts';
import { ENTRY_OPTIONS, entryChanges, refuseEntryOptions } from './entry-options.ts';

export const manifestAnnotateCommand = defineCommand({
  paths: [['manifest', 'annotate']],
  category: 'Images',
  summary: 'change what a list says of one of its images',
  usage: 'LIST IMAGE|DIGEST',
  examples: [
    ['An annotation', 'tsman manifest annotate --annotation org.example.tested=yes web web:arm'],
    ['A variant', 'tsman manifest annotate --variant v7 web web:arm'],
  ],
  options: {
    ...ENTRY_OPTIONS,
    index: { kind: 'flag', help: '--annotation is for the list itself' },
  },
  arguments: [1, 2],
  completes: 'images',
  async run(options, [name = '', image], context) {
    const engine = context.openEngine();
    const { storage } = engine;
    const list = requireManifestList(storage, name);
    if (!options.index && image === undefined)
      throw new UsageError('which image of the list? Give its name or digest, or --index');
    if (options.index) refuseEntryOptions(context);
    const annotations = parseAnnotations(options.annotation);
    const changed = await withListLease(engine, async () =>
      image === undefined || options.index
        ? annotateList(storage, list, annotations)
        : annotateEntry(storage, list, image, entryChanges(options)),
    );
    context.stdout.write(`${changed.name}: ${changed.digest}\n`);
    return 0;
  },
});
