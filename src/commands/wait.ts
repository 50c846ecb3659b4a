import { TsmanError, UsageError } from '../base/error.ts';
import type { Container } from '../container/record.ts';
import { parseConditions, WAIT_CONDITIONS, waitForContainer } from '../container/wait.ts';
import { defineCommand } from './command.ts';
import { durationMs } from './duration.ts';
import type { Engine } from './engine.ts';
import { existingContainer, existingContainers } from './selection.ts';

export const waitCommand = defineCommand({
  paths: [['wait'], ['container', 'wait']],
  category: 'Containers',
  summary: 'wait until containers end and print their exit codes',
  usage: 'CONTAINER...',
  examples: [
    ['The result of a background job', 'tsman wait job'],
    ['Until a server answers its health check', 'tsman wait --condition healthy web'],
  ],
  options: {
    condition: {
      kind: 'list',
      value: 'CONDITION',
      help: 'wait for this instead of the end; any of several',
      choices: WAIT_CONDITIONS,
    },
    exitFirstMatch: { kind: 'flag', help: 'end when the first of several containers is there' },
    ignore: { kind: 'flag', help: 'print -1 for containers that do not exist' },
    interval: {
      kind: 'text',
      short: 'i',
      value: 'DURATION',
      help: 'how often to look, with --condition',
      defaultText: '250ms',
    },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  async run(options, names, { openEngine, stdout }) {
    const engine = openEngine();
    const request = {
      conditions: parseConditions(options.condition),
      intervalMs: parseInterval(options.interval ?? '250ms'),
    };
    const latest = options.latest ? existingContainers(engine).slice(-1) : [];
    const found = names.map((name) => find(engine, name, options.ignore));
    const all = [...latest, ...found];
    if (all.length === 0) throw new UsageError('which container? Give a name or ID, or --latest');
    const abort = new AbortController();
    const results = all.map(async (container) =>
      container === undefined
        ? -1
        : await waitForContainer(engine, container, request, abort.signal),
    );
    if (options.exitFirstMatch) {
      stdout.write(`${await Promise.race(results)}\n`);
      abort.abort();
      await Promise.allSettled(results);
      return 0;
    }
    for (const result of results) stdout.write(`${await result}\n`);
    return 0;
  },
});

function find(engine: Engine, name: string, ignoreMissing: boolean): Container | undefined {
  try {
    return existingContainer(engine, name);
  } catch (error) {
    if (ignoreMissing && error instanceof TsmanError) return undefined;
    throw error;
  }
}

/** A bare number is milliseconds here, as with Podman. */
function parseInterval(text: string): number {
  const interval = durationMs(/^\d+$/.test(text) ? `${text}ms` : text, '--interval');
  if (interval <= 0) throw new UsageError('option --interval: must be more than nothing');
  return interval;
}
