import { UsageError } from '../../base/error.ts';
import { formatTable } from '../../output/table.ts';
import { formatRows } from '../../output/template.ts';
import { HEADERS, type PsRow } from './ps-row.ts';

export const SORT_KEYS = [
  ...['command', 'created', 'id', 'image', 'names', 'runningfor', 'size', 'status'],
];

/** @throws UsageError for an unknown key */
export function sortRows(rows: PsRow[], key: string | undefined): PsRow[] {
  if (key === undefined || key === 'created' || key === 'runningfor') return rows;
  if (!SORT_KEYS.includes(key))
    throw new UsageError(
      `option --sort: ${JSON.stringify(key)} is not one of ${SORT_KEYS.join(', ')}`,
    );
  if (key === 'size') return rows.sort((a, b) => bytesOf(a.Size) - bytesOf(b.Size));
  const field = (
    {
      command: 'Command',
      id: 'ID',
      image: 'Image',
      names: 'Names',
      status: 'Status',
    } as const
  )[key as 'id'];
  return rows.sort((a, b) => a[field].localeCompare(b[field]));
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Sorting needs no more digits than are shown. */
function bytesOf(size: string): number {
  const [, number = '0', unit = 'B'] = /^([\d.]+)([a-zA-Z]+)/.exec(size) ?? [];
  return Number(number) * 1000 ** UNITS.indexOf(unit);
}

export interface PsLook {
  readonly quiet: boolean;
  readonly format: string | undefined;
  readonly noheading: boolean;
  readonly size: boolean;
  readonly pod: boolean;
  readonly namespace: boolean;
}

type Column = readonly [header: string, value: (row: PsRow) => string];

const COLUMNS: readonly Column[] = [
  ['CONTAINER ID', (row) => row.ID],
  ['IMAGE', (row) => row.Image],
  ['COMMAND', (row) => row.Command],
  ['CREATED', (row) => row.CreatedHuman],
  ['STATUS', (row) => row.Status],
  ['PORTS', (row) => row.Ports],
  ['NAMES', (row) => row.Names],
];

const HEADER_OF_NAMESPACE = {
  ...{ cgroup: 'CGROUPNS', ipc: 'IPC', mnt: 'MNT', net: 'NET' },
  ...{ pid: 'PIDNS', user: 'USERNS', uts: 'UTS' },
} as const;

const NAMESPACE_COLUMNS: readonly Column[] = [
  ['CONTAINER ID', (row) => row.ID],
  ['NAMES', (row) => row.Names],
  ['PID', (row) => String(row.Pid)],
  ...(['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'] as const).map(
    (type): Column => [HEADER_OF_NAMESPACE[type], (row) => row.Namespaces[type] ?? ''],
  ),
];

const POD_COLUMNS: readonly Column[] = [
  ['POD ID', () => ''],
  ['PODNAME', () => ''],
];

export function renderPs(rows: readonly PsRow[], look: PsLook): string {
  if (look.quiet && look.format === undefined) return rows.map((row) => `${row.ID}\n`).join('');
  if (look.format !== undefined && look.format !== 'table')
    return formatRows(look.format, rows, HEADERS, !look.noheading);
  const columns = look.namespace
    ? NAMESPACE_COLUMNS
    : [
        ...COLUMNS,
        ...(look.pod ? POD_COLUMNS : []),
        ...(look.size ? [['SIZE', (row: PsRow) => row.Size] as const] : []),
      ];
  const header = look.noheading ? [] : [columns.map(([name]) => name)];
  return formatTable([...header, ...rows.map((row) => columns.map(([, value]) => value(row)))]);
}
