import { filterImages, matchesReference } from '../../image/filter.ts';
import { formatRows } from '../../output/template.ts';
import { findImage, listImages } from '../../storage/images.ts';
import type { Storage } from '../../storage/storage.ts';
import { defineCommand } from '../command.ts';
import { IMAGE_HEADERS, type ImageLine, imageJson, imageLines, imageRow } from './rows.ts';
import { sortLines } from './sort.ts';

export const imagesCommand = defineCommand({
  paths: [['images'], ['image', 'ls'], ['image', 'list']],
  category: 'Images',
  summary: 'list the images in local storage',
  usage: '[NAME]',
  examples: [
    ['Images without a name', 'tsman images --filter dangling=true'],
    ['Only some columns', "tsman images --format 'table {{.Repository}}\\t{{.Size}}'"],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'also intermediate images (builds here keep none)' },
    digests: { kind: 'flag', help: 'show the digests of the manifests' },
    filter: {
      kind: 'list',
      short: 'f',
      value: 'KEY=VALUE',
      help: 'only images that match: dangling, reference, label, before, since, until, id, containers',
    },
    format: { kind: 'text', value: 'FORMAT', help: 'json, a Go template, or "table TEMPLATE"' },
    history: { kind: 'flag', help: 'show the names the image has had' },
    noTrunc: { kind: 'flag', help: 'show IDs in full' },
    noheading: { kind: 'flag', short: 'n', help: 'no header line' },
    quiet: { kind: 'flag', short: 'q', help: 'only IDs' },
    sort: {
      kind: 'text',
      value: 'KEY',
      help: 'order',
      defaultText: 'created',
      choices: ['created', 'id', 'repository', 'size', 'tag'],
    },
  },
  arguments: [0, 1],
  completes: 'images',
  run(options, [name], { openEngine, stdout }) {
    const { storage } = openEngine();
    const wanted = named(storage, name);
    const distinct = [...new Set(wanted.map(({ image }) => image))];
    const images = new Set(filterImages(storage, distinct, options.filter));
    if (options.format === 'json' && !options.quiet) {
      stdout.write(
        `${JSON.stringify(
          [...images].map((image) => imageJson(storage, image)),
          undefined,
          4,
        )}\n`,
      );
      return 0;
    }
    const lines = sortLines(
      wanted.filter(({ image }) => images.has(image)),
      options.sort ?? 'created',
    );
    if (options.quiet) {
      const ids = new Set(
        lines.map(({ image }) => (options.noTrunc ? `sha256:${image.id}` : image.id.slice(0, 12))),
      );
      stdout.write([...ids].map((id) => `${id}\n`).join(''));
      return 0;
    }
    const rows = lines.map((line) => imageRow(storage, line, !options.noTrunc));
    stdout.write(
      formatRows(options.format ?? defaultFormat(options), rows, IMAGE_HEADERS, !options.noheading),
    );
    return 0;
  },
});

function defaultFormat({ digests, history }: { digests: boolean; history: boolean }): string {
  const columns = [
    'Repository',
    'Tag',
    ...(digests ? ['Digest'] : []),
    'ID',
    'CreatedSince',
    'Size',
    ...(history ? ['History'] : []),
  ];
  return `table ${columns.map((column) => (column === 'History' ? '{{join .History ", "}}' : `{{.${column}}}`)).join('\t')}`;
}

/** `images NAME`: every tag of a repository, or what a pattern fits; otherwise the image it means, by ID too. */
function named(storage: Storage, name: string | undefined): ImageLine[] {
  const all = imageLines(listImages(storage));
  if (name === undefined) return all;
  const matching = all.filter(
    (line) => line.name !== undefined && matchesReference(line.name, name),
  );
  if (matching.length > 0 || /[*?[]/.test(name)) return matching;
  const found = findImage(storage, name);
  return found === undefined ? [] : imageLines([found]);
}
