import { readFileSync } from 'node:fs';
import { UsageError } from '../../base/error.ts';

export interface Rlimit {
  readonly type: string;
  /** Infinity stands for `unlimited`; JSON has none, so it is kept as -1. */
  readonly soft: number;
  readonly hard: number;
}

const NAMES = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
];

/** Parses the values of `--ulimit`: `type=soft[:hard]`; `host` keeps the caller's, which is the default anyway. @throws UsageError */
export function parseUlimits(values: readonly string[]): Rlimit[] {
  return values.filter((value) => value !== 'host').map(parseUlimit);
}

function parseUlimit(text: string): Rlimit {
  const match = /^([a-z]+)=(-?\d+|unlimited)(?::(-?\d+|unlimited))?$/i.exec(text);
  const type = match?.[1]?.toLowerCase() ?? '';
  if (match === null || !NAMES.includes(type)) {
    throw new UsageError(`option --ulimit: ${JSON.stringify(text)} is not type=soft[:hard]`, {
      hint: `types are ${NAMES.join(', ')}`,
    });
  }
  const soft = limitNumber(match[2] as string);
  const hard = match[3] === undefined ? soft : limitNumber(match[3]);
  if (hard !== -1 && (soft === -1 || soft > hard))
    throw new UsageError(`option --ulimit ${text}: the soft limit is above the hard one`);
  return { type, soft, hard };
}

function limitNumber(text: string): number {
  return text === 'unlimited' ? -1 : Math.max(-1, Number(text));
}

/** Podman raises these two as far as the caller may: 1,048,576 or the hard limit, whichever is less. */
export function defaultRlimits(): Rlimit[] {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return [
    hardLimit(limits, 'Max open files', 'nofile'),
    hardLimit(limits, 'Max processes', 'nproc'),
  ];
}

function hardLimit(limits: string, title: string, type: string): Rlimit {
  const line = limits.split('\n').find((candidate) => candidate.startsWith(title)) ?? '';
  const hard = line.slice(title.length).trim().split(/\s+/)[1] ?? '1024';
  const value = Math.min(hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard), 1_048_576);
  return { type, soft: value, hard: value };
}
