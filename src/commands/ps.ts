import { UsageError } from '../base/error.ts';
import { matchesFilters } from '../container/filters.ts';
import type { Container } from '../container/record.ts';
import { listContainers } from '../container/record.ts';
import { isGone } from '../container/remove.ts';
import { type ContainerState, isActive, readState } from '../container/state.ts';
import { formatTable } from '../output/table.ts';
import { formatRows } from '../output/template.ts';
import { deleteContainerRow } from '../storage/containers.ts';
import { defineCommand } from './command.ts';
import type { Engine } from './engine.ts';
import { HEADERS, type PsRow, psRow } from './ps-row.ts';
import { containerFilters } from './selection.ts';

const SORT_KEYS = ['command', 'created', 'id', 'image', 'names', 'runningfor', 'size', 'status'];

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
    format: { kind: 'text', value: 'TEMPLATE', help: 'json, table TEMPLATE, or a Go template' },
    last: { kind: 'text', short: 'n', value: 'N', help: 'the last N made, running or not' },
    latest: { kind: 'flag', short: 'l', help: 'the one made last, running or not' },
    noTrunc: { kind: 'flag', help: 'whole IDs and commands' },
    noheading: { kind: 'flag', help: 'no header line' },
    quiet: { kind: 'flag', short: 'q', help: 'only IDs' },
    sort: { kind: 'text', value: 'KEY', help: 'sort by', choices: SORT_KEYS },
    sync: { kind: 'flag', help: 'nothing to do here: the state is always read anew', hidden: true },
  },
  arguments: [0, 0],
  run(options, _args, { openEngine, stdout }) {
    const engine = openEngine();
    const filters = containerFilters(engine, options.filter);
    const last = options.latest
      ? 1
      : options.last === undefined
        ? undefined
        : parseCount(options.last);
    const showAll = options.all || last !== undefined || filters.asksForState;
    let found = readAll(engine).filter(
      ({ container, state }) =>
        (showAll || isActive(state)) && matchesFilters(filters, container, state),
    );
    if (last !== undefined) found = found.slice(-last);
    const rows = sortRows(
      found.reverse().map(({ container, state }) => psRow(container, state, options.noTrunc)),
      options.sort,
    );
    stdout.write(render(rows, options));
    return 0;
  },
});

interface Found {
  readonly container: Container;
  readonly state: ContainerState;
}

/** All containers with their state, oldest first; sweeps the rows that --rm containers left. */
function readAll(engine: Engine): Found[] {
  return listContainers(engine.storage).flatMap((container) => {
    const state = readState(engine.directories, container.id);
    if (state.pid === 0 && isGone(engine, container)) {
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

function sortRows(rows: PsRow[], key: string | undefined): PsRow[] {
  if (key === undefined || key === 'created' || key === 'runningfor') return rows;
  if (!SORT_KEYS.includes(key))
    throw new UsageError(
      `option --sort: ${JSON.stringify(key)} is not one of ${SORT_KEYS.join(', ')}`,
    );
  const field = (
    {
      command: 'Command',
      id: 'ID',
      image: 'Image',
      names: 'Names',
      size: 'ID',
      status: 'Status',
    } as const
  )[key as 'id'];
  return rows.sort((a, b) => a[field].localeCompare(b[field]));
}

function render(
  rows: readonly PsRow[],
  options: { quiet: boolean; format: string | undefined; noheading: boolean },
): string {
  if (options.quiet && options.format === undefined)
    return rows.map((row) => `${row.ID}\n`).join('');
  if (options.format !== undefined && options.format !== 'table')
    return formatRows(options.format, rows, HEADERS, !options.noheading);
  const header = options.noheading
    ? []
    : [['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES']];
  return formatTable([
    ...header,
    ...rows.map((row) => [
      row.ID,
      row.Image,
      row.Command,
      row.CreatedHuman,
      row.Status,
      row.Ports,
      row.Names,
    ]),
  ]);
}
