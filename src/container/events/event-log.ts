import * as fs from 'node:fs';
import { hasCode } from '../../base/error.ts';
import { sleep } from '../../base/sleep.ts';
import type { Storage } from '../../storage/storage.ts';
import { listContainers } from '../record.ts';
import { eventsPath } from './events.ts';

/** One event as read back, with what is known of its container. */
export interface EngineEvent {
  readonly type: string;
  readonly action: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly exitCode: number | undefined;
  /** Other fields of the line, e.g. `signal` or `health_status`. */
  readonly details: Readonly<Record<string, string>>;
  /** Nanoseconds since 1970; more digits than a number keeps. */
  readonly timeNano: bigint;
}

interface Identity {
  name: string;
  image: string;
  labels: Readonly<Record<string, string>>;
}

const KNOWN_FIELDS = ['Type', 'Action', 'ID', 'Name', 'Image', 'Labels', 'exitCode', 'timeNano'];

/**
 * Turns lines into events. A monitor's line has only the ID: name, image and labels come from the
 * line of the container's creation, or else from its record.
 */
export class EventParser {
  readonly #identities = new Map<string, Identity>();

  constructor(storage: Storage) {
    for (const { id, name, spec } of listContainers(storage))
      this.#identities.set(id, { name, image: spec.imageName, labels: spec.labels });
  }

  /** Undefined for a line cut by a full disk or a power cut. */
  parse(line: string): EngineEvent | undefined {
    const timeNano = /"timeNano":(\d+)/.exec(line)?.[1];
    const fields = parseObject(line);
    if (timeNano === undefined || fields === undefined) return undefined;
    const id = String(fields['ID'] ?? '');
    const known = this.#learn(id, fields);
    const details = Object.entries(fields).filter(([key]) => !KNOWN_FIELDS.includes(key));
    return {
      type: String(fields['Type'] ?? 'container'),
      action: String(fields['Action'] ?? ''),
      id,
      ...known,
      exitCode: typeof fields['exitCode'] === 'number' ? fields['exitCode'] : undefined,
      details: Object.fromEntries(details.map(([key, value]) => [key, String(value)])),
      timeNano: BigInt(timeNano),
    };
  }

  #learn(id: string, fields: Readonly<Record<string, unknown>>): Identity {
    const known = this.#identities.get(id) ?? { name: '', image: '', labels: {} };
    if (typeof fields['Name'] !== 'string') return known;
    const identity = {
      name: fields['Name'],
      image: String(fields['Image'] ?? known.image),
      labels: (fields['Labels'] as Identity['labels'] | undefined) ?? known.labels,
    };
    this.#identities.set(id, identity);
    return identity;
  }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const POLL_MS = 100;

/** All events kept, oldest first; with `follow`, those to come until the signal aborts. */
export async function* readEvents(
  storage: Storage,
  follow: AbortSignal | undefined,
): AsyncGenerator<EngineEvent> {
  const parser = new EventParser(storage);
  const path = eventsPath(storage);
  yield* parseLines(parser, readFrom(`${path}.1`, 0).lines);
  let offset = 0;
  let inode = inodeOf(path);
  for (;;) {
    const now = inodeOf(path);
    if (now !== inode) {
      // Rotated: what was written to the old file after our last look is now in events.1.
      if (inode !== undefined) yield* parseLines(parser, readFrom(`${path}.1`, offset).lines);
      [inode, offset] = [now, 0];
    }
    const part = readFrom(path, offset);
    offset = part.end;
    yield* parseLines(parser, part.lines);
    if (follow === undefined || follow.aborted) return;
    await sleep(POLL_MS);
  }
}

function* parseLines(parser: EventParser, lines: readonly string[]): Generator<EngineEvent> {
  for (const line of lines) {
    const event = parser.parse(line);
    if (event !== undefined) yield event;
  }
}

function inodeOf(path: string): number | undefined {
  return fs.statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Whole lines from an offset on; the files are small (see events.ts). */
function readFrom(path: string, offset: number): { lines: string[]; end: number } {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { lines: [], end: offset };
    throw error;
  }
  const end = bytes.lastIndexOf(10) + 1;
  if (end <= offset) return { lines: [], end: offset };
  return { lines: bytes.toString('utf8', offset, end).split('\n').slice(0, -1), end };
}
