import * as fs from 'node:fs';
import { TsmanError } from '../../base/error.ts';
import { sleep } from '../../base/sleep.ts';
import type { Directories } from '../../rootless/directories.ts';
import type { Container } from '../record.ts';
import { containerDirectory, readState } from '../state.ts';
import type { LogEntry, LogRequest } from './log-entry.ts';

const READ_BYTES = 1 << 20;

/**
 * The container's output, oldest first; with `follow`, until it ends.
 * @throws TsmanError when its log driver keeps none
 */
export async function* readLogs(
  directories: Directories,
  container: Container,
  request: LogRequest,
): AsyncGenerator<LogEntry> {
  const { driver, path } = container.spec.log;
  if (driver === 'none' || driver === 'passthrough') {
    throw new TsmanError(`container ${container.name} keeps no log: its log driver is ${driver}`);
  }
  if (driver === 'journald') {
    const { readJournal } = await import('./journal.ts');
    yield* readJournal(directories, container, request);
    return;
  }
  const file = path ?? `${containerDirectory(directories, container.id)}/log`;
  const parse = driver === 'json-file' ? parseJsonLine : parseK8sLine;
  const past = pastEntries(file, container.spec.log.maxFiles, parse);
  const wanted = request.tail === undefined ? past : lastLines(past, request.tail);
  let offset = 0;
  for (const item of wanted) {
    offset = item.end;
    if (isWanted(item.entry, request)) yield item.entry;
  }
  if (!request.follow) return;
  if (request.tail === 0) offset = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  yield* followFrom(directories, container, file, offset, parse, request);
}

interface PlacedEntry {
  readonly entry: LogEntry;
  /** Offset in the newest file behind this entry; 0 for entries of rotated files. */
  readonly end: number;
}

type LineParser = (line: Buffer) => LogEntry | undefined;

function* pastEntries(file: string, maxFiles: number, parse: LineParser): Generator<PlacedEntry> {
  for (let age = maxFiles - 1; age > 0; age--) {
    for (const { line } of linesOf(`${file}.${age}`, 0)) {
      const entry = parse(line);
      if (entry !== undefined) yield { entry, end: 0 };
    }
  }
  for (const { line, end } of linesOf(file, 0)) {
    const entry = parse(line);
    if (entry !== undefined) yield { entry, end };
  }
}

/** Whole lines of a file from an offset on, read in big steps so that memory stays flat. */
function* linesOf(file: string, from: number): Generator<{ line: Buffer; end: number }> {
  if (!fs.existsSync(file)) return;
  const descriptor = fs.openSync(file, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    let position = from;
    const block = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const count = fs.readSync(descriptor, block, 0, READ_BYTES, position);
      if (count === 0) return;
      const data = Buffer.concat([rest, block.subarray(0, count)]);
      let start = 0;
      for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
        yield { line: data.subarray(start, end), end: position - rest.length + end + 1 };
        start = end + 1;
      }
      rest = data.subarray(start);
      position += count;
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The entries of the last `count` lines; a line may be several entries. */
function lastLines(entries: Iterable<PlacedEntry>, count: number): PlacedEntry[] {
  const kept: PlacedEntry[] = [];
  let lines = 0;
  for (const item of entries) {
    kept.push(item);
    if (item.entry.endsLine) lines++;
    while (lines > count) {
      const dropped = kept.shift();
      if (dropped?.entry.endsLine !== false) lines--;
    }
  }
  return count === 0 ? [] : kept;
}

async function* followFrom(
  directories: Directories,
  container: Container,
  file: string,
  start: number,
  parse: LineParser,
  request: LogRequest,
): AsyncGenerator<LogEntry> {
  let offset = start;
  let inode = fs.statSync(file, { throwIfNoEntry: false })?.ino;
  for (;;) {
    // Asked before reading: what is written before the end must still be shown.
    const isRunning = readState(directories, container.id).pid !== 0;
    const now = fs.statSync(file, { throwIfNoEntry: false });
    if (now !== undefined && now.ino !== inode) {
      for (const { line } of linesOf(`${file}.1`, offset)) yield* wantedOnly(parse(line), request);
      [inode, offset] = [now.ino, 0];
    }
    for (const { line, end } of linesOf(file, offset)) {
      offset = end;
      yield* wantedOnly(parse(line), request);
    }
    if (!isRunning) return;
    if (request.until !== undefined && Date.now() > request.until.getTime()) return;
    await sleep(50);
  }
}

function* wantedOnly(entry: LogEntry | undefined, request: LogRequest): Generator<LogEntry> {
  if (entry !== undefined && isWanted(entry, request)) yield entry;
}

function isWanted(entry: LogEntry, { since, until }: LogRequest): boolean {
  if (since === undefined && until === undefined) return true;
  const time = Date.parse(entry.time);
  return (
    (since === undefined || time >= since.getTime()) &&
    (until === undefined || time <= until.getTime())
  );
}

/** `2026-11-22T03:00:00.123456789+00:00 stdout F text` (Kubernetes' CRI log format). */
function parseK8sLine(line: Buffer): LogEntry | undefined {
  const first = line.indexOf(32);
  const second = line.indexOf(32, first + 1);
  const third = line.indexOf(32, second + 1);
  if (first < 1 || second === -1 || third === -1) return undefined;
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  return {
    time: line.toString('latin1', 0, first),
    stream,
    text: line.subarray(third + 1),
    endsLine: line[second + 1] === 0x46,
  };
}

function parseJsonLine(line: Buffer): LogEntry | undefined {
  try {
    const { log, stream, time, attrs } = JSON.parse(line.toString()) as {
      log: string;
      stream: 'stdout' | 'stderr';
      time: string;
      attrs?: Record<string, string>;
    };
    const endsLine = log.endsWith('\n');
    const text = Buffer.from(endsLine ? log.slice(0, -1) : log);
    return { time, stream, text, endsLine, ...(attrs === undefined ? {} : { attributes: attrs }) };
  } catch {
    // A line cut by a full disk or a power cut: what can be read is still shown.
    return undefined;
  }
}

/** The path of the log, for inspect. */
export function logPath(directories: Directories, container: Container): string {
  const { driver, path } = container.spec.log;
  return driver === 'none' || driver === 'passthrough' || driver === 'journald'
    ? ''
    : (path ?? `${containerDirectory(directories, container.id)}/log`);
}
