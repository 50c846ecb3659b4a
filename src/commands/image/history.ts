import { imageHistory } from '../../image/history.ts';
import { formatRows } from '../../output/template.ts';
import { humanSince, humanSize } from '../../output/units.ts';
import { requireImage } from '../../storage/image-lookup.ts';
import { defineCommand } from '../command.ts';

const HEADERS = {
  ID: 'ID',
  Created: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedSince: 'CREATED',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
  Tags: 'TAGS',
} as const;
const SHOWN_COMMAND_LENGTH = 45;

export const historyCommand = defineCommand({
  paths: [['history'], ['image', 'history']],
  category: 'Images',
  summary: 'show the steps an image was made in',
  usage: 'IMAGE',
  examples: [
    ['Sizes and commands', 'tsman history debian:12'],
    ['For a program', 'tsman history --format json debian:12'],
    ['Whole commands', 'tsman history --no-trunc debian:12'],
  ],
  options: {
    format: { kind: 'text', value: 'FORMAT', help: 'json, a Go template, or "table TEMPLATE"' },
    human: { kind: 'flag', short: 'H', default: true, help: 'sizes and times in words' },
    noTrunc: { kind: 'flag', help: 'show IDs and commands in full' },
    quiet: { kind: 'flag', short: 'q', help: 'only IDs' },
  },
  arguments: [1, 1],
  completes: 'images',
  run(options, [name = ''], { openEngine, stdout }) {
    const { storage } = openEngine();
    const steps = imageHistory(storage, requireImage(storage, name));
    if (options.format === 'json') {
      const json = steps.map(({ id, created, createdBy, comment, sizeBytes, names }) => ({
        id,
        created,
        createdBy,
        size: sizeBytes,
        comment,
        tags: names,
      }));
      stdout.write(`${JSON.stringify(json, undefined, 4)}\n`);
      return 0;
    }
    const rows = steps.map((step) => ({
      ID: options.noTrunc ? step.id : step.id.startsWith('<') ? step.id : step.id.slice(0, 12),
      Created: options.human ? humanSince(step.created) : step.created,
      CreatedAt: step.created,
      CreatedSince: humanSince(step.created),
      CreatedBy: shorten(step.createdBy, options.noTrunc),
      Size: options.human ? humanSize(step.sizeBytes) : String(step.sizeBytes),
      Comment: step.comment,
      Tags: step.names,
    }));
    const format = options.quiet
      ? '{{.ID}}'
      : (options.format ?? 'table {{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}');
    stdout.write(formatRows(format, rows, HEADERS));
    return 0;
  },
});

function shorten(command: string, isFull: boolean): string {
  const line = command.replace(/\s+/g, ' ');
  return isFull || line.length <= SHOWN_COMMAND_LENGTH
    ? line
    : `${line.slice(0, SHOWN_COMMAND_LENGTH - 3)}...`;
}
