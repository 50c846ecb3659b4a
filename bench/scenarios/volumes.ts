import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { debianDirectory } from '../../test/support/debian.ts';
import { type Engine, runEngine } from '../engines.ts';
import type { Bench, Scenario } from '../scenario.ts';

const MANY = 'localhost/many:latest';
const ALONE = ['--rm', '--network', 'none'] as const;
const KEEP_ID = ['--userns', 'keep-id'] as const;

const inside = ({ directory }: Bench, name: string): string => join(directory, name);

/** `many/` with 20,000 files of 1.5 KB, and `big` of 100 MB, on the host. */
function makeHostFiles(bench: Bench): void {
  const script =
    '[ ! -e many ] || exit 0; dd if=/dev/urandom of=big bs=1M count=100; mkdir many; cd many; for i in $(seq 100); do mkdir $i; head -c 300000 /dev/zero | split -b 1500 -a 3 - $i/; done';
  execFileSync('sh', ['-c', script], { cwd: bench.directory, stdio: 'ignore' });
}

/** A Debian of one layer with `many/`: podman 4.3 cannot give layers with whiteouts other owners. */
async function makeMany(bench: Bench, engine: Engine): Promise<void> {
  makeHostFiles(bench);
  const rootfs = join(await debianDirectory(), 'rootfs.tar');
  const script =
    '[ ! -e image.tar ] || exit 0; cp "$1" rootfs.tar; tar -rf rootfs.tar many; mv rootfs.tar image.tar';
  execFileSync('sh', ['-ec', script, 'sh', rootfs], { cwd: bench.directory, stdio: 'ignore' });
  runEngine(engine, 'import', '-q', inside(bench, 'image.tar'), MANY);
}

function removeMany(_: Bench, engine: Engine): void {
  runEngine(engine, 'rmi', '-f', MANY);
}

/** Milliseconds of one command. */
function timed(engine: Engine, ...words: readonly string[]): number {
  const start = performance.now();
  runEngine(engine, ...words);
  return performance.now() - start;
}

/** tsman's words before the command that force one way to put the root together. */
function forced(engine: Engine, way: string): Engine {
  if (engine.name === 'podman') return engine;
  return { ...engine, command: [...engine.command, '--storage-opt', `overlay.userns=${way}`] };
}

const READ = ['sh', '-c', 'find /many -type f | xargs cat > /dev/null'] as const;
const CREATE = ['sh', '-c', 'cp -r /many /copy'] as const;

/** Podman has only one way, its recursive chown, done by the time this is measured. */
function inUserns(what: string, command: readonly string[]): Scenario[] {
  return (['native', 'fuse-overlayfs'] as const).map((way) => ({
    name: `keep-id: ${what} 20,000 files, ${way}`,
    setup: async (bench: Bench, engine: Engine) => {
      await makeMany(bench, engine);
      timed(forced(engine, way), 'run', ...ALONE, ...KEEP_ID, MANY, 'true');
    },
    measure: (_: Bench, engine: Engine) =>
      timed(forced(engine, way), 'run', ...ALONE, ...KEEP_ID, '--user', '0', MANY, ...command),
    unit: 'ms' as const,
    cleanup: removeMany,
    runs: 3,
  }));
}

const starts: readonly Scenario[] = [
  {
    name: 'keep-id: start of a 20,000-file image, more than without',
    // The layers are shifted, or copied by podman: without the wait they would be meanwhile.
    setup: async (bench, engine) => {
      await makeMany(bench, engine);
      timed(forced(engine, 'native'), 'run', ...ALONE, ...KEEP_ID, MANY, 'true');
    },
    measure: (_, engine) =>
      timed(engine, 'run', ...ALONE, ...KEEP_ID, MANY, 'true') -
      timed(engine, 'run', ...ALONE, MANY, 'true'),
    unit: 'ms',
    cleanup: removeMany,
    runs: 6,
    aim: { own: 100 },
  },
  {
    name: 'keep-id: the first start of it, more than without',
    setup: makeMany,
    measure: async (bench, engine) => {
      // Podman's copy with other owners goes with the image, tsman's without.
      if (engine.name === 'tsman') runEngine(engine, 'system', 'prune', '--external', '--force');
      else {
        removeMany(bench, engine);
        await makeMany(bench, engine);
      }
      const plain = timed(engine, 'run', ...ALONE, MANY, 'true');
      return timed(engine, 'run', ...ALONE, ...KEEP_ID, MANY, 'true') - plain;
    },
    unit: 'ms',
    cleanup: removeMany,
    runs: 3,
    aim: { own: 100 },
  },
];

function makeBox(bench: Bench, engine: Engine): void {
  makeHostFiles(bench);
  runEngine(
    engine,
    'run',
    '-d',
    '--name',
    'box',
    '--network',
    'none',
    bench.image,
    'sleep',
    '9999',
  );
  for (const name of ['many', 'big']) runEngine(engine, 'cp', inside(bench, name), 'box:/');
}

function removeBox(_: Bench, engine: Engine): void {
  runEngine(engine, 'rm', '-f', '-t', '0', 'box');
}

/** Every time to a new place; `out` is emptied before. */
function copies(what: string, name: string): Scenario[] {
  const common = { setup: makeBox, cleanup: removeBox, runs: 3, unit: 'ms' as const };
  return [
    {
      ...common,
      name: `cp ${what} into a container`,
      measure: (bench, engine) => {
        runEngine(engine, 'exec', 'box', 'rm', '-rf', '/to');
        runEngine(engine, 'exec', 'box', 'mkdir', '/to');
        return timed(engine, 'cp', inside(bench, name), 'box:/to/');
      },
    },
    {
      ...common,
      name: `cp ${what} out of a container`,
      measure: (bench, engine) => {
        const out = inside(bench, 'out');
        execFileSync('sh', ['-c', 'rm -rf "$1"; mkdir "$1"', 'sh', out]);
        return timed(engine, 'cp', `box:/${name}`, out);
      },
    },
  ];
}

function makeVolume(bench: Bench, engine: Engine): void {
  makeHostFiles(bench);
  const tar = ['-C', bench.directory, '-cf', inside(bench, 'many.tar'), 'many'];
  execFileSync('tar', tar, { stdio: 'ignore' });
  runEngine(engine, 'volume', 'create', 'full');
  runEngine(engine, 'volume', 'import', 'full', inside(bench, 'many.tar'));
}

const archives: readonly Scenario[] = [
  {
    name: 'volume import, 20,000 files',
    setup: makeVolume,
    measure: (bench, engine) => {
      runEngine(engine, 'volume', 'create', 'empty');
      const ms = timed(engine, 'volume', 'import', 'empty', inside(bench, 'many.tar'));
      runEngine(engine, 'volume', 'rm', 'empty');
      return ms;
    },
    unit: 'ms',
    cleanup: (_, engine) => void runEngine(engine, 'volume', 'rm', 'full'),
    runs: 3,
  },
  {
    name: 'volume export, 20,000 files',
    setup: makeVolume,
    args: (bench) => ['volume', 'export', '-o', inside(bench, 'exported.tar'), 'full'],
    cleanup: (_, engine) => void runEngine(engine, 'volume', 'rm', 'full'),
    runs: 3,
  },
];

export const volumeScenarios: readonly Scenario[] = [
  ...starts,
  ...inUserns('reading', READ),
  ...inUserns('creating', CREATE),
  ...copies('100 MB', 'big'),
  ...copies('20,000 files', 'many'),
  ...archives,
];
