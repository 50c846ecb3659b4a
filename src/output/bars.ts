import type { Digest } from '../oci/digest.ts';
import type { Output } from './output.ts';
import { type Progress, type ProgressEvent, plainLine, STATES, shortDigest } from './progress.ts';
import { humanSize } from './units.ts';

interface Bar {
  readonly sizeBytes: number;
  doneBytes: number;
  readonly startedMs: number;
  state: 'started' | 'done' | 'exists' | 'mounted';
}

const REDRAW_MS = 100;
const BAR_WIDTH = 30;
const LEAST_BAR_WIDTH = 8;
const DEFAULT_SIZE = { columns: 80, rows: 24 };

/**
 * One line for each blob, drawn over in place; where the terminal has not enough of them, those under
 * way and a line that counts the others: what has scrolled out can never be drawn over.
 */
export class Bars implements Progress {
  readonly #stream: Output;
  readonly #verb: string;
  readonly #bars = new Map<Digest, Bar>();
  #linesDrawn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Output, verb: string) {
    this.#stream = stream;
    this.#verb = verb;
  }

  show(event: ProgressEvent): void {
    const { kind, digest, bytes = 0 } = event;
    if (kind === 'bytes') {
      const bar = digest === undefined ? undefined : this.#bars.get(digest);
      if (bar !== undefined) bar.doneBytes += bytes;
      // Later, so that what came last is shown too when nothing comes after it.
      this.#timer ??= setTimeout(() => this.#draw(), REDRAW_MS).unref();
      return;
    }
    if (kind === 'blob') {
      this.#setState(event);
      this.#draw();
      return;
    }
    // Lines of text go above the bars, which are then drawn anew; those of an image before are left.
    this.#erase();
    if (kind === 'begin') {
      this.#draw();
      this.#bars.clear();
      this.#linesDrawn = 0;
    }
    this.#stream.write(`${plainLine(event, this.#verb)}\n`);
    this.#draw();
  }

  finish(): void {
    this.#draw();
    this.#linesDrawn = 0;
  }

  #setState({ digest, sizeBytes = 0, state = 'started' }: ProgressEvent): void {
    if (digest === undefined) return;
    const bar = this.#bars.get(digest);
    if (bar === undefined)
      this.#bars.set(digest, { sizeBytes, doneBytes: 0, startedMs: performance.now(), state });
    else bar.state = state;
  }

  #erase(): void {
    if (this.#linesDrawn > 0) this.#stream.write(`\u001b[${this.#linesDrawn}A\u001b[J`);
    this.#linesDrawn = 0;
  }

  #draw(): void {
    const { columns = DEFAULT_SIZE.columns, rows = DEFAULT_SIZE.rows } = this.#stream;
    const lines = this.#lines(columns - 1, rows - 1);
    const up = this.#linesDrawn > 0 ? `\u001b[${this.#linesDrawn}A` : '';
    // Fewer than before: what is left of the others goes.
    const rest = lines.length < this.#linesDrawn ? '\u001b[J' : '';
    if (lines.length > 0)
      this.#stream.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}${rest}`);
    this.#linesDrawn = lines.length;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #lines(width: number, height: number): string[] {
    const bars = [...this.#bars];
    const draw = ([digest, bar]: [Digest, Bar]) => barLine(digest, bar, this.#verb, width);
    if (bars.length <= height) return bars.map(draw);
    const active = bars.filter(([, { state }]) => state === 'started').slice(0, height - 1);
    const done = bars.filter(([, { state }]) => state !== 'started').length;
    return [`${done} of ${bars.length} layers done`.slice(0, width), ...active.map(draw)];
  }
}

/** What does not fit goes: first the speed, then the bar, then the size. */
function barLine(
  digest: Digest,
  { state, sizeBytes, doneBytes, startedMs }: Bar,
  verb: string,
  width: number,
): string {
  const id = shortDigest(digest);
  const size = humanSize(sizeBytes);
  if (state !== 'started') return `${id}  ${STATES[state]}  ${size}`.slice(0, width);
  const isWhole = doneBytes >= sizeBytes;
  // All of it came, or went; now it is unpacked, or the registry checks it.
  if (isWhole)
    return `${id}  ${verb === 'Pulling' ? 'unpacking' : 'finishing'}  ${size}`.slice(0, width);
  const part = doneBytes / sizeBytes;
  const seconds = Math.max(0.1, (performance.now() - startedMs) / 1000);
  const sizes = `${humanSize(doneBytes)} / ${size}`;
  const speed = `${humanSize(doneBytes / seconds)}/s`;
  const percent = `${Math.floor(part * 100)}%`;
  for (const text of [`${sizes}  ${speed}`, sizes]) {
    const room = Math.min(BAR_WIDTH, width - `${id}  []  ${text}`.length);
    if (room < LEAST_BAR_WIDTH) continue;
    const filled = Math.round(part * room);
    return `${id}  [${'='.repeat(filled)}${' '.repeat(room - filled)}]  ${text}`;
  }
  const short = [`${id}  ${sizes}`, `${id}  ${percent}`].find((line) => line.length <= width);
  return short ?? percent.slice(0, width);
}
