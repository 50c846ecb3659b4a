import { isatty } from 'node:tty';
import { UsageError } from '../../base/error.ts';
import { SAVE_FORMATS, type SavedImage, type SaveFormat, saveImages } from '../../image/save.ts';
import type { LayerForm } from '../../image/save-layers.ts';
import { collectGarbage } from '../../storage/garbage.ts';
import { matchedName, requireImage } from '../../storage/image-lookup.ts';
import { withIngest } from '../../storage/leases.ts';
import type { Storage } from '../../storage/storage.ts';
import { defineCommand } from '../command.ts';

export const saveCommand = defineCommand({
  paths: [['save'], ['image', 'save']],
  category: 'Images',
  summary: 'write images to an archive or a directory',
  usage: 'IMAGE [IMAGE...]',
  examples: [
    ['To a file', 'tsman save -o debian.tar debian:12'],
    [
      'With the blobs as they were pulled',
      'tsman save --format oci-archive debian:12 > debian.tar',
    ],
  ],
  options: {
    compress: {
      kind: 'flag',
      help: 'with docker-dir: gzip for layers that are stored uncompressed',
    },
    format: {
      kind: 'text',
      value: 'FORMAT',
      help: 'what is written',
      defaultText: 'docker-archive',
      choices: SAVE_FORMATS,
    },
    multiImageArchive: {
      kind: 'flag',
      short: 'm',
      help: 'accepted for compatibility: several images always go into one archive',
    },
    output: {
      kind: 'text',
      short: 'o',
      value: 'FILE',
      help: 'a file, or a directory for the -dir formats',
      defaultText: 'standard output',
    },
    quiet: { kind: 'flag', short: 'q', help: 'no progress' },
    uncompressed: {
      kind: 'flag',
      help: 'layers uncompressed, as docker-archive always has them; else as they were pulled',
    },
  },
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run(options, names, { openEngine, stdout }) {
    const format = SAVE_FORMATS.find((known) => known === (options.format ?? 'docker-archive'));
    if (format === undefined)
      throw new UsageError(
        `option --format: ${JSON.stringify(options.format)}: there are ${SAVE_FORMATS.join(', ')}`,
      );
    const form = layerForm(options, format);
    checkOutput(format, options.output);
    const engine = openEngine();
    const { storage } = engine;
    const save = (): Promise<void> =>
      saveImages(storage, chosen(storage, names), format, options.output ?? stdout.stream, form);
    if (form !== 'compressed') await save();
    else {
      // Newly compressed layers are blobs of no image.
      await withIngest(storage, save);
      await collectGarbage(engine);
    }
    return 0;
  },
});

/** As Podman: --compress is for docker-dir alone. */
function layerForm(
  { compress, uncompressed }: { readonly compress: boolean; readonly uncompressed: boolean },
  format: SaveFormat,
): LayerForm {
  if (compress && format !== 'docker-dir')
    throw new UsageError('option --compress needs --format docker-dir');
  if (compress && uncompressed)
    throw new UsageError('options --compress and --uncompressed exclude each other');
  return compress ? 'compressed' : uncompressed ? 'uncompressed' : 'stored';
}

function checkOutput(format: SaveFormat, output: string | undefined): void {
  if (output !== undefined) return;
  if (format.endsWith('-dir'))
    throw new UsageError(`save --format ${format} needs --output DIRECTORY`);
  if (isatty(1))
    throw new UsageError('save: standard output is a terminal', {
      hint: 'give a file with -o, or with > archive.tar',
    });
}

/** Each manifest once, with the names it was asked for by; asked for by ID it has none, as with Docker. */
function chosen(storage: Storage, names: readonly string[]): SavedImage[] {
  const byManifest = new Map<string, SavedImage>();
  for (const text of names) {
    const image = requireImage(storage, text);
    const match = matchedName(image, text);
    const known = byManifest.get(image.manifestDigest)?.names ?? [];
    byManifest.set(image.manifestDigest, {
      image,
      names: [...new Set([...known, ...(match === undefined ? [] : [match])])],
    });
  }
  return [...byManifest.values()];
}
