import { UsageError } from '../../base/error.ts';
import { filterImages } from '../../image/filter.ts';
import { formatRows } from '../../output/template.ts';
import { findImage, type ImageRecord, listImages } from '../../storage/images.ts';
import type { Storage } from '../../storage/storage.ts';
import { defineCommand } from '../command.ts';
import { IMAGE_HEADERS, type ImageLine, imageJson, imageLines, imageRow } from './rows.ts';

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
      help: 'order (created)',
      choices: ['created', 'id', 'repository', 'size', 'tag'],
    },
  },
  arguments: [0, 1],
  completes: 'images',
  run(options, [name], { openEngine, stdout }) {
    const { storage } = openEngine();
    const images = filterImages(storage, named(storage, name), options.filter);
    if (options.format === 'json' && !options.quiet) {
      stdout.write(
        `${JSON.stringify(
          images.map((image) => imageJson(storage, image)),
          undefined,
          4,
        )}\n`,
      );
      return 0;
    }
    const lines = sortLines(imageLines(images), options.sort ?? 'created');
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

/** `images NAME`: that image; or every tag of a repository, or a pattern. */
function named(storage: Storage, name: string | undefined): ImageRecord[] {
  const all = listImages(storage);
  if (name === undefined) return all;
  const found = /[*?[]/.test(name) ? undefined : findImage(storage, name);
  const matching = filterImages(storage, all, [`reference=${name}`]);
  return found === undefined || matching.some(({ id }) => id === found.id) ? matching : [found];
}

const ORDERS: Readonly<Record<string, (a: ImageLine, b: ImageLine) => number>> = {
  created: () => 0, // As listImages gives them.
  id: (a, b) => compare(a.image.id, b.image.id),
  repository: (a, b) => compare(a.name ?? '', b.name ?? ''),
  size: (a, b) => a.image.sizeBytes - b.image.sizeBytes,
  tag: (a, b) => compare(tagOf(a), tagOf(b)),
};

function sortLines(lines: ImageLine[], key: string): ImageLine[] {
  const order = ORDERS[key];
  if (order === undefined)
    throw new UsageError(
      `option --sort: ${JSON.stringify(key)}: there are ${Object.keys(ORDERS).join(', ')}`,
    );
  return lines.sort(order);
}

function tagOf({ name }: ImageLine): string {
  return name?.replace(/^.*:/, '') ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
