import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, runEngine } from '../engines.ts';
import {
  COMPRESSIONS,
  type Compression,
  nameIn,
  putInRegistry,
  SUBJECTS,
  type Subject,
} from '../registry-images.ts';
import type { Bench, Scenario } from '../scenario.ts';

/** Empty at first: no other image holds a layer that is to be pulled. */
const store = 'pull';
const PLAIN = '--tls-verify=false';
const COLD = { atMost: 0.6 };

const pull = (name: string) => ['pull', '--quiet', PLAIN, name];

function removeAll(_: Bench, engine: Engine): void {
  runEngine(engine, 'rmi', '--all', '--force');
}

function pulls(subject: Subject, compression: Compression): readonly Scenario[] {
  const name = (bench: Bench) => nameIn(bench, subject, compression);
  const what = `${subject}, ${compression}`;
  const isLong = subject !== 'small';
  return [
    {
      name: `pull ${what}`,
      store,
      setup: async (bench, engine) => {
        await putInRegistry(bench, subject, compression);
        runEngine(engine, ...pull(name(bench)));
      },
      args: (bench) => pull(name(bench)),
      prepare: (bench) => [['rmi', '--force', name(bench)]],
      cleanup: removeAll,
      runs: isLong ? 3 : 6,
      isLong,
      aim: COLD,
      cpu: true,
      peak: subject === 'debian' ? { atMost: 0.5 } : true,
    },
    {
      name: `disk after pull ${what}`,
      store,
      setup: async (bench, engine) => {
        await putInRegistry(bench, subject, compression);
        runEngine(engine, ...pull(name(bench)));
      },
      measure: (_, engine) => megabytesOnDisk(engine),
      unit: 'MB',
      cleanup: removeAll,
      runs: 1,
    },
    {
      name: `push ${what}`,
      store,
      setup: async (bench, engine) => {
        await putInRegistry(bench, subject, compression);
        runEngine(engine, ...pull(name(bench)));
        // Under another name, for a registry lends blobs to a repository whose name is known.
        runEngine(engine, 'tag', name(bench), 'localhost/push:1');
        runEngine(engine, 'untag', name(bench), name(bench));
      },
      measure: (bench, engine) => timePush(bench, engine),
      unit: 'ms',
      cleanup: removeAll,
      runs: isLong ? 2 : 3,
    },
  ];
}

/** Of the files of an engine's store, seen where their owners are known. */
function megabytesOnDisk(engine: Engine): number {
  const [root] = engine.roots;
  const script = 'du -skx "$1" | cut -f1';
  return Number(runEngine(engine, 'unshare', 'sh', '-c', script, 'sh', root).trim()) / 1024;
}

let pushes = 0;

/** To a repository that is new, with nothing remembered of earlier pushes (podman keeps a cache of them). */
function timePush({ directory, registry }: Bench, engine: Engine): number {
  const data = mkdtempSync(join(directory, 'data'));
  const words = ['push', '--quiet', PLAIN, 'localhost/push:1', `${registry}/push${pushes++}:1`];
  const start = performance.now();
  execFileSync('env', [`XDG_DATA_HOME=${data}`, ...engine.command, ...words], {
    timeout: 120_000,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const elapsedMs = performance.now() - start;
  rmSync(data, { recursive: true, force: true });
  return elapsedMs;
}

/** The same bytes by skopeo, which only stores the blobs and unpacks nothing: how much is the unpacking? */
function timesSkopeo(bench: Bench, engine: Engine): number {
  const name = nameIn(bench, 'debian', 'gzip');
  runEngine(engine, 'rmi', '--force', name);
  const started = performance.now();
  runEngine(engine, ...pull(name));
  const pulledMs = performance.now() - started;
  const layout = mkdtempSync(join(bench.directory, 'skopeo'));
  const copied = performance.now();
  const words = ['copy', '--quiet', '--src-tls-verify=false'];
  execFileSync('skopeo', ['--insecure-policy', ...words, `docker://${name}`, `oci:${layout}:1`], {
    timeout: 120_000,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const copiedMs = performance.now() - copied;
  rmSync(layout, { recursive: true });
  return pulledMs / copiedMs;
}

export const registryScenarios: readonly Scenario[] = [
  ...SUBJECTS.flatMap((subject) =>
    COMPRESSIONS.flatMap((compression) => pulls(subject, compression)),
  ),
  {
    name: 'pull again',
    store,
    setup: async (bench, engine) => {
      await putInRegistry(bench, 'debian', 'gzip');
      runEngine(engine, ...pull(nameIn(bench, 'debian', 'gzip')));
    },
    args: (bench) => pull(nameIn(bench, 'debian', 'gzip')),
    runs: 15,
    aim: { atMost: 0.6 },
    cpu: true,
    peak: true,
  },
  {
    name: 'pull debian, gzip / skopeo copy',
    store,
    measure: timesSkopeo,
    unit: 'x',
    cleanup: removeAll,
    runs: 2,
  },
];
