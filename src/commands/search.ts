import { UsageError } from '../base/error.ts';
import { type FoundRepository, searchImages, searchTags } from '../image/search.ts';
import { formatTable } from '../output/table.ts';
import { formatRows } from '../output/template.ts';
import { defineCommand } from './command.ts';
import { REGISTRY_OPTIONS, registryAccess } from './options/registry-options.ts';

const DESCRIPTION_LENGTH = 60;
const HEADERS = {
  Index: 'INDEX',
  Name: 'NAME',
  Description: 'DESCRIPTION',
  Stars: 'STARS',
  Official: 'OFFICIAL',
  Tag: 'TAG',
};

export const searchCommand = defineCommand({
  paths: [['search'], ['image', 'search']],
  category: 'Registries',
  summary: 'search a registry for images',
  usage: 'TERM',
  examples: [
    ['Everything in a registry of your own', 'tsman search localhost:5000/'],
    ['The tags of a repository', 'tsman search --list-tags quay.io/podman/stable'],
  ],
  options: {
    ...REGISTRY_OPTIONS,
    compatible: { kind: 'flag', help: 'show stars and official, as Docker does' },
    filter: { kind: 'list', short: 'f', value: 'KEY=VALUE', help: 'is-official, stars=NUMBER' },
    format: { kind: 'text', value: 'FORMAT', help: 'json or a Go template' },
    limit: { kind: 'text', value: 'NUMBER', help: 'at most so many', defaultText: '25' },
    listTags: { kind: 'flag', help: 'list the tags of a repository' },
    noTrunc: { kind: 'flag', help: 'show descriptions in full' },
  },
  arguments: [1, 1],
  async run(options, [term = ''], context) {
    const access = registryAccess(options, context);
    const limit = Number(options.limit ?? 25);
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new UsageError(`option --limit: ${JSON.stringify(options.limit)} is not a number`);
    checkBeforeAsking(options);
    const { stdout } = context;
    if (options.listTags) {
      const { name, tags } = await searchTags(term, limit, access);
      const rows = tags.map((tag) => ({ Name: name, Tag: tag }));
      if (options.format === 'json')
        stdout.write(`${JSON.stringify([{ Name: name, Tags: tags }], undefined, 4)}\n`);
      else if (options.format !== undefined)
        stdout.write(formatRows(options.format, rows, HEADERS));
      else stdout.write(formatTable([['NAME', 'TAG'], ...rows.map((row) => [row.Name, row.Tag])]));
      return 0;
    }
    const rows = filtered(await searchImages(term, limit, access), options.filter).map((found) =>
      toRow(found, options.noTrunc),
    );
    if (options.format === 'json') stdout.write(`${JSON.stringify(rows, undefined, 4)}\n`);
    else if (options.format !== undefined) stdout.write(formatRows(options.format, rows, HEADERS));
    else {
      const columns = options.compatible
        ? (['Name', 'Description', 'Stars', 'Official'] as const)
        : (['Name', 'Description'] as const);
      stdout.write(
        formatTable([
          columns.map((key) => HEADERS[key]),
          ...rows.map((row) => columns.map((key) => String(row[key]))),
        ]),
      );
    }
    return 0;
  },
});

const NOTHING: FoundRepository = {
  index: '',
  name: '',
  description: '',
  stars: 0,
  isOfficial: false,
};

/** A mistake in the template or a filter is told before the network is used. @throws TsmanError */
function checkBeforeAsking(options: {
  readonly format: string | undefined;
  readonly filter: readonly string[];
  readonly listTags: boolean;
}): void {
  filtered([NOTHING], options.filter);
  const row = options.listTags ? { Name: '', Tag: '' } : toRow(NOTHING, true);
  if (options.format !== undefined) formatRows(options.format, [row], HEADERS);
}

function toRow(found: FoundRepository, isFull: boolean) {
  const text = found.description.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  const description =
    isFull || text.length <= DESCRIPTION_LENGTH
      ? text
      : `${text.slice(0, DESCRIPTION_LENGTH - 3)}...`;
  return {
    Index: found.index,
    Name: found.name,
    Description: description,
    Stars: found.stars,
    Official: found.isOfficial ? '[OK]' : '',
  };
}

function filtered(rows: readonly FoundRepository[], filters: readonly string[]): FoundRepository[] {
  return rows.filter((row) =>
    filters.every((filter) => {
      const [key, value = 'true'] = filter.split('=');
      if (key === 'is-official') return row.isOfficial === (value === 'true');
      if (key === 'stars') return row.stars >= Number(value);
      if (key === 'is-automated') return value === 'false';
      throw new UsageError(
        `option --filter: ${JSON.stringify(key)} is none of is-official, is-automated, stars`,
      );
    }),
  );
}
