import { TsmanError, UsageError } from '../base/error.ts';
import { sleep } from '../base/sleep.ts';
import { readUsage, type Usage } from '../container/processes/stats.ts';
import type { Container } from '../container/record.ts';
import { readState } from '../container/state.ts';
import { formatTable } from '../output/table.ts';
import { defineCommand } from './command.ts';
import { durationMs } from './duration.ts';
import type { Engine } from './engine.ts';
import { STATS_HEADERS, type StatsRow, statsJson, statsRow, statsTable } from './rows/stats-row.ts';
import { existingContainer, existingContainers } from './selection.ts';

const CLEAR_SCREEN = '\u001b[2J\u001b[H';

export const statsCommand = defineCommand({
  paths: [['stats'], ['container', 'stats']],
  category: 'Containers',
  summary: 'show what running containers use, again and again',
  usage: '[CONTAINER...]',
  examples: [
    ['Once', 'tsman stats --no-stream'],
    ['Memory only', "tsman stats --no-stream --format '{{.Name}}: {{.MemUsage}}'"],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'accepted: those that do not run use nothing' },
    format: { kind: 'text', value: 'TEMPLATE', help: 'json, table TEMPLATE, or a Go template' },
    interval: {
      kind: 'text',
      short: 'i',
      value: 'SECONDS',
      help: 'time between two looks',
      defaultText: '5',
    },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    noReset: { kind: 'flag', help: 'do not clear the screen between two looks' },
    noStream: { kind: 'flag', help: 'look once' },
    noTrunc: { kind: 'flag', help: 'whole IDs' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'running',
  async run(options, names, { openEngine, stdout }) {
    const engine = openEngine();
    if (names.length > 0 && (options.all || options.latest))
      throw new UsageError('containers and --all or --latest exclude each other');
    const intervalMs = durationMs(options.interval ?? '5', '--interval');
    if (intervalMs < 100) throw new UsageError('option --interval: must be 0.1 seconds or more');
    const before = new Map<string, Usage>();
    for (let isFirst = true; ; isFirst = false) {
      const rows = look(engine, choose(engine, names, options.latest), before, options.noTrunc);
      const text = await render(rows, options.format);
      stdout.write(isFirst || options.noReset || options.format ? text : CLEAR_SCREEN + text);
      if (options.noStream) return 0;
      await sleep(intervalMs);
    }
  },
});

function choose(engine: Engine, names: readonly string[], latest: boolean): Container[] {
  if (latest) return existingContainers(engine).slice(-1);
  if (names.length === 0) return existingContainers(engine);
  const chosen = names.map((name) => existingContainer(engine, name));
  for (const { id, name } of chosen)
    if (readState(engine.directories, id).pid === 0)
      throw new TsmanError(`container ${name} is not running`);
  return chosen;
}

function look(
  engine: Engine,
  containers: readonly Container[],
  before: Map<string, Usage>,
  isWhole: boolean,
): StatsRow[] {
  return containers.flatMap((container) => {
    const state = readState(engine.directories, container.id);
    if (state.pid === 0) return [];
    const usage = readUsage(container, state);
    const row = statsRow(container, state, usage, before.get(container.id), isWhole);
    before.set(container.id, usage);
    return [row];
  });
}

async function render(rows: readonly StatsRow[], format: string | undefined): Promise<string> {
  if (format === undefined || format === 'table') return formatTable(statsTable(rows));
  if (format === 'json') return `${JSON.stringify(rows.map(statsJson), undefined, 1)}\n`;
  const { formatRows } = await import('../output/template.ts');
  return formatRows(format, rows, STATS_HEADERS);
}
