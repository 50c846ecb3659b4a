import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, runEngine } from './engines.ts';
import type { Bench } from './scenario.ts';

const CONTAINER = 'port';
const LOOPBACK = '127.0.0.1';
/** Where the server without a container listens. */
const HOST_PORT = '28179';

/** What `bench/port.c` can be asked for. */
export type PortFigure = 'requests' | 'echo' | 'out' | 'in';

function program({ directory }: Bench): string {
  const path = join(directory, 'port');
  if (!existsSync(path))
    execFileSync('gcc', ['-static', '-O2', '-Wall', '-o', path, 'bench/port.c'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  return path;
}

/** Starts the server in a container whose port is published. */
export function publishServer(bench: Bench, engine: Engine): void {
  const options = ['-d', '--name', CONTAINER, '-v', `${program(bench)}:/port:ro`];
  const port = ['-p', `${LOOPBACK}::80`];
  runEngine(engine, 'run', ...options, ...port, bench.image, '/port', 'serve', '80');
}

export function removeServer(_: Bench, engine: Engine): void {
  runEngine(engine, 'rm', '--force', '--time', '0', CONTAINER);
}

function ask(bench: Bench, port: string, figure: PortFigure, count: number): string {
  const args = [figure, LOOPBACK, port, String(count)];
  return execFileSync(program(bench), args, { encoding: 'utf8', timeout: 60_000 });
}

/** The first number is the median in microseconds or megabytes a second, the second one how many a second. */
function numbers(text: string): [first: number, second: number] {
  const [first = Number.NaN, second = Number.NaN] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [first, second];
}

/** The figure of the engine's published port. */
export function measurePort(
  bench: Bench,
  engine: Engine,
  figure: PortFigure,
  count: number,
): [first: number, second: number] {
  const port = runEngine(engine, 'port', CONTAINER, '80').trim().split(':').at(-1) ?? '';
  return numbers(ask(bench, port, figure, count));
}

let isServing = false;

/** The same server without a container; ends with this process. */
async function serveOnHost(bench: Bench): Promise<void> {
  if (isServing) return;
  isServing = true;
  const server = spawn(program(bench), ['serve', HOST_PORT], { stdio: 'ignore' });
  process.on('exit', () => server.kill());
  await sleep(500);
}

/** The median of the engine's port divided by that of the same server without a container. */
export async function timesHostLoopback(
  bench: Bench,
  engine: Engine,
  count: number,
): Promise<number> {
  await serveOnHost(bench);
  const [host] = numbers(ask(bench, HOST_PORT, 'requests', count));
  return measurePort(bench, engine, 'requests', count)[0] / host;
}
