import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** One of the programs compared: a command line up to the subcommand. */
export interface Engine {
  readonly name: 'tsman' | 'podman';
  readonly command: readonly string[];
  readonly roots: readonly [root: string, runRoot: string];
}

/** Both engines with empty storage of their own below `directory`. */
export function makeEngines(directory: string, store: string): readonly [Engine, Engine] {
  const tsman = resolve(process.env['TSMAN_BIN'] ?? 'bin/tsman');
  const [own, others] = ['t', 'p'].map((prefix) => {
    const root = join(directory, `${prefix}-${store}`);
    const roots = [root, `${root}-run`] as const;
    for (const path of roots) mkdirSync(path, { mode: 0o700 });
    return roots;
  }) as [Engine['roots'], Engine['roots']];
  const words = ([root, runRoot]: Engine['roots']) => ['--root', root, '--runroot', runRoot];
  const overlay = ['--storage-driver', 'overlay', ...podmanRuntime()];
  return [
    { name: 'tsman', command: [tsman, ...words(own)], roots: own },
    { name: 'podman', command: ['podman', ...words(others), ...overlay], roots: others },
  ];
}

// Where only the hybrid cgroup tree is to be had, podman works with runc and not with its default.
function podmanRuntime(): string[] {
  const hasUnified =
    execFileSync('stat', ['-fc', '%T', '/sys/fs/cgroup'], { encoding: 'utf8' }).trim() ===
    'cgroup2fs';
  return hasUnified ? [] : ['--runtime', 'runc'];
}

/** Runs one command of an engine to its end. @throws with its stderr when it fails */
export function runEngine(engine: Engine, ...args: readonly string[]): string {
  const [program = '', ...before] = engine.command;
  return execFileSync(program, [...before, ...args], {
    encoding: 'utf8',
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Starts one command for each line, all at the same time. @returns milliseconds until the last has ended */
export async function timeTogether(
  engine: Engine,
  lines: readonly (readonly string[])[],
): Promise<number> {
  const [program = '', ...before] = engine.command;
  const start = performance.now();
  const run = promisify(execFile);
  await Promise.all(lines.map((words) => run(program, [...before, ...words])));
  return performance.now() - start;
}

const AT_ONCE = 8;

/** Runs many commands, several at a time: preparing 500 containers one by one takes podman minutes. */
export async function runMany(
  engine: Engine,
  lines: readonly (readonly string[])[],
): Promise<void> {
  for (let from = 0; from < lines.length; from += AT_ONCE)
    await timeTogether(engine, lines.slice(from, from + AT_ONCE));
}

/** Short, because sockets lie below it. */
export function makeBenchDirectory(): string {
  return mkdtempSync('/var/tmp/b');
}

/** Starts Debian's docker-registry on loopback; ends with this process. Returns host:port. */
export async function startBenchRegistry(directory: string): Promise<string> {
  const port = await freePort();
  const storage = join(directory, 'registry');
  mkdirSync(storage);
  const config = join(directory, 'registry.yml');
  const lines = [
    'version: 0.1',
    `storage: {filesystem: {rootdirectory: ${storage}}}`,
    `http: {addr: "127.0.0.1:${port}"}`,
    'log: {level: error}',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  process.on('exit', () => child.kill());
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await answers(`http://127.0.0.1:${port}/v2/`)) return `localhost:${port}`;
    await sleep(50);
  }
  throw new Error('docker-registry does not answer');
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // Not yet listening.
  }
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer().on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? done(address.port)
          : failed(new Error('no port')),
      );
    });
  });
}
