// timeout: 300
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE, probeDirectory } from '../support/probe.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { assertSound, pruneLeftovers, storeFiles } from '../support/sound-store.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';

/*
 * As killed.test.ts, but at system calls instead of moments: strace kills whichever process of a
 * command, ours or the helper, is about to make its Nth call of a kind.
 */
const test = suite('a store whose commands are killed in a system call');
const BUDGET_MS = 60_000;
const LEAST_KILLS = 30;
const CHANGING_CALLS = [
  ...['write', 'pwrite64', 'ftruncate', 'fdatasync', 'fsync'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlinkat', 'mknodat'],
  ...['mkdir', 'mkdirat', 'rmdir', 'unlink', 'unlinkat'],
];
/** All of the first calls, then every so many. */
const FIRST_CALLS = 8;
const LATER_CALLS = 4;

interface Command {
  readonly args: readonly string[];
  /** Brings the store to where the command has everything to do. */
  readonly before: readonly (readonly string[])[];
}

interface Point {
  readonly command: Command;
  readonly call: string;
  readonly number: number;
}

/** Runs a tsman below strace to its end; false when that was a violent one. */
async function traced(
  scratch: Scratch,
  options: readonly string[],
  args: readonly string[],
): Promise<boolean> {
  const child = spawn('strace', ['-f', '-qq', '--seccomp-bpf', ...options, tsmanPath(), ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...tsmanEnv(scratch) },
    timeout: 60_000,
  });
  const [code] = await once(child, 'exit');
  return code === 0;
}

async function prepare(tsman: Tsman, { before }: Command): Promise<void> {
  for (const args of before) await tsman(...args);
}

/** Which calls the command makes, the most of one process each. */
async function pointsOf(tsman: Tsman, scratch: Scratch, command: Command): Promise<Point[]> {
  await prepare(tsman, command);
  const log = join(scratch.directory, 'trace');
  await traced(scratch, ['-o', log, '-e', `trace=${CHANGING_CALLS.join()}`], command.args);
  const counts = new Map<string, number>();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, pid, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (call !== undefined) counts.set(`${call} ${pid}`, (counts.get(`${call} ${pid}`) ?? 0) + 1);
  }
  return CHANGING_CALLS.flatMap((call) => {
    const most = Math.max(
      0,
      ...[...counts].map(([key, n]) => (key.startsWith(`${call} `) ? n : 0)),
    );
    return numbersUpTo(most).map((number) => ({ command, call, number }));
  });
}

function numbersUpTo(most: number): number[] {
  const first = Array.from({ length: Math.min(most, FIRST_CALLS) }, (_, i) => i + 1);
  const rest = most - FIRST_CALLS;
  const step = Math.max(1, Math.ceil(rest / LATER_CALLS));
  for (let number = FIRST_CALLS + step; number < most; number += step) first.push(number);
  return rest > 0 ? [...first, most] : first;
}

/** In an order whose every beginning holds some of all. */
function spread<T>(items: readonly T[]): T[] {
  const key = (index: number): number => (index * 0.618034) % 1;
  return items
    .map((item, index) => ({ item, index }))
    .sort((a, b) => key(a.index) - key(b.index))
    .map(({ item }) => item);
}

/** The registry's image, the archive's and a committed one; the container `c` is always there. */
async function makeCommands(remote: string): Promise<Command[]> {
  const archive = join(await probeDirectory(), 'probe.tar');
  const load = ['load', '-q', '-i', archive];
  const empty = [['rmi', '-f', remote, 'localhost/committed', 'localhost/other']];
  const commit = ['commit', '-q', 'c', 'localhost/committed'];
  return [
    // Nothing is shared with an image that is there: c's is another one.
    { args: ['load', '-i', archive], before: [...empty, ['rmi', PROBE_IMAGE]] },
    {
      args: ['pull', '-q', '--tls-verify=false', remote],
      before: [...empty, ['rmi', PROBE_IMAGE]],
    },
    { args: commit, before: empty },
    { args: ['rmi', 'localhost/committed'], before: [load, commit] },
    {
      args: ['image', 'prune', '-f'],
      before: [commit, ['untag', 'localhost/committed'], load, ['untag', PROBE_IMAGE]],
    },
    { args: ['system', 'prune', '-f'], before: [['create', '--network', 'none', 'base'], commit] },
  ];
}

requires(
  test,
  'docker-registry',
  'strace',
)('shows only images that run, and prune makes it as small as a clean one', () =>
  withScratch((tsman, scratch) =>
    withRegistry({}, async ({ address }) => {
      const remote = `${address}/probe:1`;
      await loadProbe(tsman);
      await tsman('push', '-q', '--tls-verify=false', PROBE_IMAGE, remote);
      await tsman('rmi', PROBE_IMAGE);
      // An image and a container that stay; it runs, so that nobody below strace needs newuidmap.
      await tsman('import', '-q', join(await probeDirectory(), 'layer.tar'), 'base');
      const run = ['run', '-d', '--network', 'none', '--name', 'c', 'base', '/bin/probe'];
      assert.is((await tsman(...run, 'sleep', '300')).exitCode, 0);
      const clean = await storeFiles(tsman, scratch);
      const points: Point[] = [];
      for (const command of await makeCommands(remote))
        points.push(...(await pointsOf(tsman, scratch, command)));
      const end = performance.now() + BUDGET_MS;
      let kills = 0;
      let survivors = 0;
      for (const { command, call, number } of spread(points)) {
        if (performance.now() > end && kills >= LEAST_KILLS) break;
        await prepare(tsman, command);
        const inject = `inject=${call}:signal=KILL:when=${number}`;
        if (await traced(scratch, ['-o', '/dev/null', '-e', inject], command.args)) survivors++;
        await assertSound(tsman, `tsman ${command.args.join(' ')} killed at ${call} ${number}`);
        kills++;
      }
      process.stdout.write(`(${kills} of ${points.length} calls, ${survivors} survived) `);
      await tsman('rmi', '-f', remote, PROBE_IMAGE, 'localhost/committed');
      await tsman('image', 'prune', '-f');
      await tsman('container', 'prune', '-f');
      await pruneLeftovers(tsman, scratch);
      assert.equal(await storeFiles(tsman, scratch), clean);
      // Calls are counted for each thread; a command may do without its last ones another time.
      assert.ok(
        kills >= LEAST_KILLS && survivors < kills / 4,
        `${kills} kills, ${survivors} survived`,
      );
    }),
  ),
);

test.run();
