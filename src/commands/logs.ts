import { UsageError } from '../base/error.ts';
import { parseMoment } from '../base/time.ts';
import type { LogEntry, LogRequest } from '../container/logs/log-entry.ts';
import { readLogs } from '../container/logs/logs.ts';
import type { Container } from '../container/record.ts';
import { type CommandContext, defineCommand } from './command.ts';
import type { Engine } from './engine.ts';
import { existingContainer, existingContainers } from './selection.ts';

const NEWLINE = Buffer.from('\n');
const UNCOLORED_NEWLINE = Buffer.from('\u001b[0m\n');

export const logsCommand = defineCommand({
  paths: [['logs'], ['container', 'logs']],
  category: 'Containers',
  summary: "show containers' output",
  usage: 'CONTAINER...',
  examples: [
    ['The last lines, and what comes', 'tsman logs -f --tail 20 web'],
    ['Two at once', 'tsman logs --names -f web db'],
  ],
  options: {
    color: { kind: 'flag', help: 'a colour for each container' },
    details: { kind: 'flag', help: 'what --log-opt tag, labels and env of a json-file add' },
    follow: { kind: 'flag', short: 'f', help: 'go on until the container ends' },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    names: { kind: 'flag', short: 'n', help: 'begin each line with the container' },
    since: {
      kind: 'text',
      value: 'TIME',
      help: 'from this time on: 10m, 2026-01-31T12:00:00, seconds since 1970',
    },
    tail: { kind: 'text', value: 'N', help: 'only the last lines, or all' },
    timestamps: { kind: 'flag', short: 't', help: 'begin each line with its time' },
    until: { kind: 'text', value: 'TIME', help: 'up to this time; a duration counts from now on' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  async run(options, names, context) {
    const engine = context.openEngine();
    const latest = options.latest ? existingContainers(engine).slice(-1) : [];
    const containers = [...latest, ...names.map((name) => existingContainer(engine, name))];
    if (containers.length === 0)
      throw new UsageError('which container? Give a name or ID, or --latest');
    const request: LogRequest = {
      follow: options.follow,
      tail: parseTail(options.tail),
      since: options.since === undefined ? undefined : parseMoment('--since', options.since),
      until: options.until === undefined ? undefined : parseMoment('--until', options.until, true),
    };
    const { names: withNames, timestamps, color, details } = options;
    await Promise.all(
      containers.map((container, at) => {
        const shown = { names: withNames, timestamps, details };
        const style = { ...shown, color: color ? colorOf(at) : undefined };
        return show(engine, container, request, style, context);
      }),
    );
    return 0;
  },
});

function parseTail(text: string | undefined): number | undefined {
  if (text === undefined || text === 'all' || text === '-1') return undefined;
  if (!/^\d+$/.test(text))
    throw new UsageError(`option --tail: ${JSON.stringify(text)} is neither a number nor "all"`);
  return Number(text);
}

interface Style {
  readonly names: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  /** An SGR number, console_codes(4). */
  readonly color: number | undefined;
}

/** Green to cyan, then the bright ones: red looks like a failure. */
function colorOf(at: number): number {
  return [32, 33, 34, 35, 36, 92, 93, 94, 95, 96][at % 10] ?? 32;
}

async function show(
  engine: Engine,
  container: Container,
  request: LogRequest,
  style: Style,
  context: CommandContext,
): Promise<void> {
  let atLineStart = { stdout: true, stderr: true };
  for await (const entry of readLogs(engine.directories, container, request)) {
    const stream = entry.stream === 'stdout' ? context.stdout : context.stderr;
    const head = atLineStart[entry.stream] ? prefix(container, entry, style) : '';
    const bytes = Buffer.concat([
      Buffer.from(head),
      entry.text,
      ...(entry.endsLine ? [style.color === undefined ? NEWLINE : UNCOLORED_NEWLINE] : []),
    ]);
    stream.write(bytes);
    atLineStart = { ...atLineStart, [entry.stream]: entry.endsLine };
  }
}

function prefix(container: Container, entry: LogEntry, style: Style): string {
  const color = style.color === undefined ? '' : `\u001b[${style.color}m`;
  return [
    color,
    style.names ? `${container.name} ` : '',
    style.timestamps ? `${entry.time} ` : '',
    style.details ? details(entry) : '',
  ].join('');
}

/** `tag=web,role=db `, as Docker writes them. */
function details({ attributes = {} }: LogEntry): string {
  const pairs = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? '' : `${pairs.join(',')} `;
}
