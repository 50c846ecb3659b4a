import type { Engine } from './engines.ts';

export type Words = readonly string[];

/** What the figure should be; ratios are tsman's figure divided by podman's. */
export type Aim =
  | { readonly atMost: number }
  | { readonly atLeast: number }
  /** tsman's own figure, in the row's unit. */
  | { readonly own: number };

/** What setup, measure and cleanup get. */
export interface Bench {
  /** A directory that goes away at the end. */
  readonly directory: string;
  /** host:port of Debian's docker-registry. */
  readonly registry: string;
  /** In that registry; also in both engines' main store, where a container `idle` runs from it. */
  readonly image: string;
}

interface Common {
  readonly name: string;
  /** Storage of its own, empty at first, instead of the main one with the image and `idle`. */
  readonly store?: string;
  /** Once for each engine, before the first run. */
  readonly setup?: (bench: Bench, engine: Engine) => void | Promise<void>;
  /** Once for each engine, after the last run. */
  readonly cleanup?: (bench: Bench, engine: Engine) => void | Promise<void>;
  readonly runs: number;
  readonly aim?: Aim;
}

/** A command line, timed from the start of the process to its end. */
export interface CommandScenario extends Common {
  /** After the engine's own first words. */
  readonly args: (bench: Bench, engine: Engine) => Words;
  /** Command lines of the same engine before every run, not measured. */
  readonly prepare?: (bench: Bench) => readonly Words[];
  /** What the program writes goes through a pipe instead of to /dev/null. */
  readonly pipe?: boolean;
  /** A second row: processor time, user and system, of the command and its descendants. */
  readonly cpu?: true | Aim;
  /** A row more: the peak resident size of the largest process that the command waited for. */
  readonly peak?: true | Aim;
  /** A run takes seconds: there is no warm-up, and the peak is that of one run. */
  readonly isLong?: boolean;
}

/** Anything else that gives one figure a run. */
export interface FigureScenario extends Common {
  readonly measure: (bench: Bench, engine: Engine) => number | Promise<number>;
  readonly unit: 'ms' | 'MB' | 'MB/s' | '1/s' | 'µs' | 'x';
}

export type Scenario = CommandScenario | FigureScenario;
