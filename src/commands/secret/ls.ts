import { UsageError } from '../../base/error.ts';
import { formatRows } from '../../output/template.ts';
import { listSecrets, type Secret } from '../../storage/secrets.ts';
import { defineCommand } from '../command.ts';

const HEADERS = {
  ID: 'ID',
  Name: 'NAME',
  Driver: 'DRIVER',
  CreatedAt: 'CREATED',
  UpdatedAt: 'UPDATED',
};

export const secretLsCommand = defineCommand({
  paths: [
    ['secret', 'ls'],
    ['secret', 'list'],
  ],
  category: 'Containers',
  summary: 'list secrets',
  usage: '',
  examples: [
    ['All', 'tsman secret ls'],
    ['Names', "tsman secret ls --format '{{.Name}}'"],
  ],
  options: {
    filter: { kind: 'list', short: 'f', value: 'KEY=VALUE', help: 'name= or id=' },
    format: { kind: 'text', value: 'FORMAT', help: 'json, a Go template, or "table TEMPLATE"' },
    noheading: { kind: 'flag', short: 'n', help: 'no header line' },
    quiet: { kind: 'flag', short: 'q', help: 'only IDs' },
  },
  arguments: [0, 0],
  run(options, _args, { openEngine, stdout }) {
    const tests = options.filter.map(filterTest);
    const rows = listSecrets(openEngine().storage)
      .filter((secret) => tests.every((test) => test(secret)))
      .map(({ id, name, createdAt, updatedAt }) => ({
        ...{ ID: id, Name: name, Driver: 'file', CreatedAt: createdAt, UpdatedAt: updatedAt },
      }));
    const table = Object.keys(HEADERS).map((key) => `{{.${key}}}`);
    const format = options.quiet ? '{{.ID}}' : (options.format ?? `table ${table.join('\\t')}`);
    stdout.write(formatRows(format, rows, HEADERS, !options.noheading));
    return 0;
  },
});

function filterTest(text: string): (secret: Secret) => boolean {
  const [, key, value = ''] = /^(name|id)=(.*)$/.exec(text) ?? [];
  if (key === 'name') return ({ name }) => name.includes(value);
  if (key === 'id') return ({ id }) => id.startsWith(value);
  throw new UsageError(`option --filter ${text}: want name= or id=`);
}
