import type { Digest } from '../oci/digest.ts';
import type { Output } from './output.ts';
import { humanSize } from './units.ts';

/** What there is to show of one transfer; src/image/transfer-event.ts. */
export interface ProgressEvent {
  readonly kind: 'begin' | 'blob' | 'bytes' | 'note' | 'warning';
  readonly name?: string;
  readonly text?: string;
  readonly digest?: Digest;
  readonly sizeBytes?: number;
  readonly bytes?: number;
  readonly state?: 'started' | 'done' | 'exists' | 'mounted';
}

export interface Progress {
  show(event: ProgressEvent): void;
  /** Draws the last state and leaves the cursor below it. */
  finish(): void;
}

export type ProgressMode = 'bars' | 'plain' | 'none';

/** Bars on a terminal, lines in a pipe, nothing when quiet; warnings always. */
export function chooseMode(stream: Output, isQuiet: boolean, wanted?: string): ProgressMode {
  if (isQuiet || wanted === 'none' || wanted === 'quiet') return 'none';
  if (wanted === 'plain') return 'plain';
  return stream.isTTY === true || wanted === 'tty' ? 'bars' : 'plain';
}

/** @param verb what is done to a name: `Pulling`, `Pushing` */
export function createProgress(stream: Output, mode: ProgressMode, verb: string): Progress {
  if (mode === 'bars') return new Bars(stream, verb);
  return {
    show(event) {
      const line = plainLine(event, verb);
      if (line !== undefined && (mode === 'plain' || event.kind === 'warning'))
        stream.write(`${line}\n`);
    },
    finish: () => undefined,
  };
}

/** The digits Docker shows. */
function short(digest: Digest | undefined): string {
  return (digest ?? '').slice('sha256:'.length, 'sha256:'.length + 12);
}

const STATES = { started: '', done: 'done', exists: 'already exists', mounted: 'mounted' } as const;

function plainLine(
  { kind, name, text, digest, sizeBytes = 0, state }: ProgressEvent,
  verb: string,
): string | undefined {
  switch (kind) {
    case 'begin':
      return `${verb} ${name}`;
    case 'blob':
      return state === undefined || state === 'started'
        ? undefined
        : `${short(digest)}: ${STATES[state]} (${humanSize(sizeBytes)})`;
    case 'warning':
      return `warning: ${text}`;
    case 'note':
      return text;
    case 'bytes':
      return undefined;
  }
}

interface Bar {
  readonly sizeBytes: number;
  doneBytes: number;
  readonly startedMs: number;
  state: 'started' | 'done' | 'exists' | 'mounted';
}

const REDRAW_MS = 100;
const BAR_WIDTH = 30;

/** One line for each blob, drawn over in place. */
class Bars implements Progress {
  readonly #stream: Output;
  readonly #verb: string;
  readonly #bars = new Map<Digest, Bar>();
  #linesDrawn = 0;
  #drawnMs = 0;

  constructor(stream: Output, verb: string) {
    this.#stream = stream;
    this.#verb = verb;
  }

  show(event: ProgressEvent): void {
    const { kind, digest, bytes = 0 } = event;
    if (kind === 'bytes') {
      const bar = digest === undefined ? undefined : this.#bars.get(digest);
      if (bar !== undefined) bar.doneBytes += bytes;
      if (performance.now() - this.#drawnMs >= REDRAW_MS) this.#draw();
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
    const width = this.#stream.columns ?? 80;
    const lines = [...this.#bars].map(([digest, bar]) => barLine(digest, bar).slice(0, width - 1));
    const up = this.#linesDrawn > 0 ? `\u001b[${this.#linesDrawn}A` : '';
    if (lines.length > 0)
      this.#stream.write(up + lines.map((line) => `\u001b[2K${line}\n`).join(''));
    this.#linesDrawn = lines.length;
    this.#drawnMs = performance.now();
  }
}

function barLine(digest: Digest, { state, sizeBytes, doneBytes, startedMs }: Bar): string {
  if (state !== 'started') return `${short(digest)}  ${STATES[state]}  ${humanSize(sizeBytes)}`;
  const part = sizeBytes === 0 ? 1 : Math.min(1, doneBytes / sizeBytes);
  const filled = Math.round(part * BAR_WIDTH);
  const bar = `[${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}]`;
  const seconds = Math.max(0.1, (performance.now() - startedMs) / 1000);
  return `${short(digest)}  ${bar}  ${humanSize(doneBytes)} / ${humanSize(sizeBytes)}  ${humanSize(doneBytes / seconds)}/s`;
}
