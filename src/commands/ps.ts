import { UsageError } from '../base/error.ts';
import { isGone } from '../container/existing.ts';
import { matchesFilters } from '../container/filters.ts';
import { type Container, listContainers } from '../container/record.ts';
import { type ContainerState, isActive, readState } from '../container/state.ts';
import { deleteContainerRow } from '../storage/containers.ts';
import { defineCommand } from './command.ts';
import type { Engine } from './engine.ts';
import type { PsSource } from './rows/ps-json.ts';
import { psRow } from './rows/ps-row.ts';
import { renderPs, SORT_KEYS, sortRows } from './rows/ps-table.ts';
import { containerFilters } from './selection.ts';

const CLEAR_SCREEN = '\u001b[2J\u001b[H';

export const psCommand = defineCommand({
  paths: [['ps'], ['container', 'ps'], ['container', 'ls'], ['container', 'list']],
  category: 'Containers',
  summary: 'list containers',
  usage: '',
  examples: [
    ['With those that ended', 'tsman ps -a'],
    [
      'Names of what was made from an image',
      "tsman ps -a --filter ancestor=debian --format '{{.Names}}'",
    ],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'also those that do not run' },
    filter: {
      kind: 'list',
      short: 'f',
      value: 'KEY=VALUE',
      help: 'name, id, label, status, exited, ancestor, before, since, network, until, command',
    },
    external: {
      kind: 'flag',
      help: 'nothing to do here: nobody else stores containers here',
      hidden: true,
    },
    format: { kind: 'text', value: 'TEMPLATE', help: 'json, table TEMPLATE, or a Go template' },
    last: { kind: 'text', short: 'n', value: 'N', help: 'the last N made, running or not' },
    latest: { kind: 'flag', short: 'l', help: 'the one made last, running or not' },
    namespace: { kind: 'flag', help: 'show namespaces' },
    noTrunc: { kind: 'flag', help: 'whole IDs and commands' },
    noheading: { kind: 'flag', help: 'no header line' },
    ns: { kind: 'flag', help: 'the same as --namespace', hidden: true },
    pod: { kind: 'flag', short: 'p', help: 'show pods; none exist yet' },
    quiet: { kind: 'flag', short: 'q', help: 'only IDs' },
    size: { kind: 'flag', short: 's', help: 'show sizes' },
    sort: {
      kind: 'text',
      value: 'KEY',
      help: 'sort by',
      defaultText: 'created',
      choices: SORT_KEYS,
    },
    sync: { kind: 'flag', help: 'nothing to do here: the state is always read anew', hidden: true },
    watch: { kind: 'text', short: 'w', value: 'SECONDS', help: 'again and again' },
  },
  arguments: [0, 0],
  async run(options, _args, { openEngine, stdout }) {
    const engine = openEngine();
    const everyMs = options.watch === undefined ? undefined : parseWatch(options.watch);
    for (;;) {
      const text = await list(engine, options);
      if (everyMs === undefined) {
        stdout.write(text);
        return 0;
      }
      // In a pipe one list after the other: nobody's screen is to be cleared.
      stdout.write('isTTY' in stdout && stdout.isTTY === true ? CLEAR_SCREEN + text : text);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  },
});

type Options = Parameters<typeof psCommand.run>[0];

async function list(engine: Engine, options: Options): Promise<string> {
  const filters = containerFilters(engine, options.filter);
  const asked = options.last === undefined ? undefined : parseCount(options.last);
  const last = options.latest ? 1 : asked;
  const showAll = options.all || last !== undefined || filters.asksForState;
  let found = readAll(engine).filter(
    ({ container, state }) =>
      (showAll || isActive(state)) && matchesFilters(filters, container, state),
  );
  if (last !== undefined) found = found.slice(-last);
  // Measuring walks over every file: only for those who ask.
  const wantsSizes =
    options.size || /\.Size\b/.test(options.format ?? '') || options.sort === 'size';
  const sizes = wantsSizes
    ? await (await import('./rows/container-size.ts')).measureContainers(
        engine,
        found.map(({ container }) => container),
      )
    : undefined;
  const rows = new Map(
    found.reverse().map((it) => {
      const size = sizes?.get(it.container.id);
      return [psRow(it.container, it.state, options.noTrunc, size), { ...it, size }] as const;
    }),
  );
  const sorted = sortRows([...rows.keys()], options.sort);
  if (options.format !== 'json')
    return renderPs(sorted, { ...options, namespace: options.namespace || options.ns });
  const { psJson } = await import('./rows/ps-json.ts');
  const json = sorted.map((row) => psJson(row, rows.get(row) as PsSource));
  return `${JSON.stringify(json, undefined, 4)}\n`;
}

interface Found {
  readonly container: Container;
  readonly state: ContainerState;
}

/** All containers with their state, oldest first; sweeps the rows that --rm containers left. */
function readAll(engine: Engine): Found[] {
  return listContainers(engine.storage).flatMap((container) => {
    const state = readState(engine.directories, container.id);
    if (!isActive(state) && isGone(engine, container)) {
      deleteContainerRow(engine.storage, container.id);
      return [];
    }
    return [{ container, state }];
  });
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text))
    throw new UsageError(`option --last: ${JSON.stringify(text)} is not a number`);
  return Number(text);
}

function parseWatch(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1))
    throw new UsageError(`option --watch: ${JSON.stringify(text)} is not a number of seconds`);
  return seconds * 1000;
}
