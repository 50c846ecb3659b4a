import { TsmanError } from '../../base/error.ts';
import { formatReference, parseLocalReference } from '../../oci/reference.ts';
import { requireImage } from '../../storage/image-lookup.ts';
import { tagImage } from '../../storage/images.ts';
import { defineCommand } from '../command.ts';

export const tagCommand = defineCommand({
  paths: [['tag'], ['image', 'tag']],
  category: 'Images',
  summary: 'give an image further names',
  usage: 'IMAGE NAME [NAME...]',
  examples: [
    ['A second name', 'tsman tag debian:12 base'],
    ['For a registry', 'tsman tag web registry.example.com/team/web:1.0'],
  ],
  options: {},
  arguments: [2, Number.POSITIVE_INFINITY],
  completes: 'images',
  run(_options, [source = '', ...names], { openEngine }) {
    const { storage } = openEngine();
    const image = requireImage(storage, source);
    const references = names.map((name) => parseLocalReference(name));
    const bad = references.find((reference) => reference.digest !== undefined);
    if (bad !== undefined)
      throw new TsmanError(
        `${formatReference(bad)}: a name with a digest cannot be given to an image`,
      );
    for (const reference of references) tagImage(storage, image, formatReference(reference));
    return 0;
  },
});
