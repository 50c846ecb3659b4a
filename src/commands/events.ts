import { UsageError } from '../base/error.ts';
import { parseMoment } from '../base/time.ts';
import { type EngineEvent, readEvents } from '../container/events/event-log.ts';
import { type CommandContext, defineCommand } from './command.ts';
import {
  EVENT_HEADERS,
  eventJson,
  eventTemplateRow,
  eventText,
  parseEventFilters,
} from './rows/event-row.ts';

export const eventsCommand = defineCommand({
  paths: [['events'], ['system', 'events']],
  category: 'System',
  summary: 'show what happens to containers, and what happened',
  usage: '',
  examples: [
    ['The last hour, without waiting for more', 'tsman events --since 1h --stream=false'],
    ['Ends of one container', 'tsman events --filter container=web --filter event=died'],
  ],
  options: {
    filter: {
      kind: 'list',
      short: 'f',
      value: 'KEY=VALUE',
      help: 'container, event, image, label, type',
    },
    format: { kind: 'text', value: 'TEMPLATE', help: 'json, or a Go template' },
    noTrunc: { kind: 'flag', default: true, help: 'whole IDs' },
    since: { kind: 'text', value: 'TIME', help: 'from this time on' },
    stream: { kind: 'flag', default: true, help: 'go on until interrupted' },
    until: {
      kind: 'text',
      value: 'TIME',
      help: 'up to this time, then end; a duration counts from now on',
    },
  },
  arguments: [0, 0],
  async run(options, _args, context) {
    const matches = parseEventFilters(options.filter);
    const started = Date.now();
    const since = momentNano('--since', options.since);
    const until = momentNano('--until', options.until);
    if (since !== undefined && until !== undefined && until < since)
      throw new UsageError('options --since and --until: the end is before the beginning');
    // Without --since a stream begins now; what is not streamed is everything kept.
    const begin =
      since ?? (options.stream && until === undefined ? BigInt(started) * 1_000_000n : 0n);
    const abort = new AbortController();
    const untilMs = until === undefined ? undefined : Number(until / 1_000_000n);
    if (!options.stream || (untilMs !== undefined && untilMs <= started)) abort.abort();
    else if (untilMs !== undefined) abortAt(abort, untilMs);
    const { storage } = context.openEngine();
    const print = await printer(options.format, options.noTrunc, context);
    for await (const event of readEvents(storage, abort.signal)) {
      if (event.timeNano < begin || (until !== undefined && event.timeNano > until)) continue;
      if (matches(event)) print(event);
    }
    return 0;
  },
});

function momentNano(option: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  return (
    BigInt(Math.round(parseMoment(option, text, option === '--until').getTime() * 1000)) * 1000n
  );
}

const MAX_TIMER_MS = 2 ** 31 - 1;

function abortAt(abort: AbortController, timeMs: number): void {
  setTimeout(() => abort.abort(), Math.min(timeMs - Date.now(), MAX_TIMER_MS));
}

const NO_EVENT: EngineEvent = {
  type: 'container',
  action: '',
  id: '',
  name: '',
  image: '',
  timeNano: 0n,
  labels: {},
  exitCode: undefined,
  details: {},
};

async function printer(
  format: string | undefined,
  isWhole: boolean,
  { stdout }: CommandContext,
): Promise<(event: EngineEvent) => void> {
  if (format === undefined || format === '')
    return (event) => stdout.write(`${eventText(event, isWhole)}\n`);
  if (format === 'json') return (event) => stdout.write(`${eventJson(event)}\n`);
  const { formatRows } = await import('../output/template.ts');
  const line = (event: EngineEvent): string =>
    formatRows(format, [eventTemplateRow(event)], EVENT_HEADERS, false);
  // A mistake is told now, not when something happens.
  line(NO_EVENT);
  return (event) => stdout.write(line(event));
}
