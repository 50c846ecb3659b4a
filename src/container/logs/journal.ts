import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { hasCode, TsmanError } from '../../base/error.ts';
import type { Directories } from '../../rootless/directories.ts';
import type { Container } from '../record.ts';
import { readState } from '../state.ts';
import type { LogEntry, LogRequest } from './log-entry.ts';

const POLL_MS = 100;
/** journald stores an entry a moment after it was sent. */
const SETTLE_MS = 250;

/**
 * What the journal has of a container, by journalctl(1); with `follow` until the container ends.
 * @throws TsmanError where there is no journalctl, or it fails
 */
export async function* readJournal(
  directories: Directories,
  container: Container,
  request: LogRequest,
): AsyncGenerator<LogEntry> {
  if (!request.follow) {
    for await (const { entry } of entries(container, rangeOf(request), request)) yield entry;
    return;
  }
  let cursor: string | undefined;
  const isRunning = (): boolean =>
    readState(directories, container.id).pid !== 0 &&
    (request.until === undefined || Date.now() < request.until.getTime());
  const range = [...rangeOf(request), '--follow', ...(hasTail(request) ? [] : ['--no-tail'])];
  if (isRunning())
    for await (const found of entries(container, range, request, isRunning)) {
      ({ cursor } = found);
      yield found.entry;
    }
  // What came while the follower was being stopped.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const rest = cursor === undefined ? rangeOf(request) : [`--after-cursor=${cursor}`];
  for await (const { entry } of entries(container, rest, request)) yield entry;
}

function hasTail({ tail }: LogRequest): boolean {
  return tail !== undefined;
}

function rangeOf({ since, until, tail, follow }: LogRequest): string[] {
  return [
    ...(since === undefined ? [] : [`--since=@${since.getTime() / 1000}`]),
    ...(until === undefined || follow ? [] : [`--until=@${until.getTime() / 1000}`]),
    ...(tail === undefined ? [] : [`--lines=${tail}`]),
  ];
}

interface FoundEntry {
  readonly entry: LogEntry;
  readonly cursor: string;
}

async function* entries(
  { id, name }: Container,
  range: readonly string[],
  { until }: LogRequest,
  mayGoOn?: () => boolean,
): AsyncGenerator<FoundEntry> {
  const fields = '--output-fields=MESSAGE,PRIORITY,CONTAINER_PARTIAL_MESSAGE';
  const child = spawn(
    'journalctl',
    ['--quiet', '--all', '--output=json', fields, ...range, `CONTAINER_ID_FULL=${id}`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += bytes.toString();
  });
  const ended = new Promise<unknown>((resolve) => {
    child.on('error', resolve);
    child.on('close', resolve);
  });
  const timer =
    mayGoOn && setInterval(() => (mayGoOn() ? undefined : child.kill('SIGTERM')), POLL_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const found = parseEntry(line);
      if (found === undefined) continue;
      if (until !== undefined && Date.parse(found.entry.time) > until.getTime()) break;
      yield found;
    }
  } finally {
    clearInterval(timer);
    child.kill('SIGTERM');
  }
  const how = await ended;
  if (typeof how === 'number' && how > 0 && complaint !== '')
    throw new TsmanError(`read the journal for ${name}: ${complaint.trim()}`);
  if (how instanceof Error)
    throw new TsmanError(`read the journal for ${name}`, {
      cause: how,
      ...(hasCode(how, 'ENOENT') ? { hint: 'journalctl has to be installed' } : {}),
    });
}

/** One line of `journalctl -o json` (systemd, "Journal JSON Format"): what is not UTF-8 is an array of bytes. */
function parseEntry(line: string): FoundEntry | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    // A line cut when the follower was stopped: it is read again, after the cursor.
    return undefined;
  }
  const message = fields['MESSAGE'];
  const text = Array.isArray(message) ? Buffer.from(message) : Buffer.from(String(message ?? ''));
  return {
    cursor: String(fields['__CURSOR']),
    entry: {
      time: timeOf(String(fields['__REALTIME_TIMESTAMP'])),
      stream: fields['PRIORITY'] === '3' ? 'stderr' : 'stdout',
      text,
      endsLine: fields['CONTAINER_PARTIAL_MESSAGE'] !== 'true',
    },
  };
}

/** RFC 3339 from microseconds. */
function timeOf(micros: string): string {
  const seconds = new Date(Number(micros.slice(0, -6)) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${micros.slice(-6)}000Z`;
}
