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
export async function createProgress(
  stream: Output,
  mode: ProgressMode,
  verb: string,
): Promise<Progress> {
  if (mode === 'bars') return new (await import('./bars.ts')).Bars(stream, verb);
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
export function shortDigest(digest: Digest | undefined): string {
  return (digest ?? '').slice('sha256:'.length, 'sha256:'.length + 12);
}

export const STATES = {
  started: '',
  done: 'done',
  exists: 'already exists',
  mounted: 'mounted',
} as const;

/** An event as a line of text; undefined for one that has none. */
export function plainLine(
  { kind, name, text, digest, sizeBytes = 0, state }: ProgressEvent,
  verb: string,
): string | undefined {
  switch (kind) {
    case 'begin':
      return `${verb} ${name}`;
    case 'blob':
      return state === undefined || state === 'started'
        ? undefined
        : `${shortDigest(digest)}: ${STATES[state]} (${humanSize(sizeBytes)})`;
    case 'warning':
      return `warning: ${text}`;
    case 'note':
      return text;
    case 'bytes':
      return undefined;
  }
}
