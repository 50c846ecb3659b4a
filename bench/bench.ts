import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianDirectory, pushDebian } from '../test/support/debian.ts';
import { findProgram } from '../test/support/programs.ts';
import {
  type Engine,
  makeBenchDirectory,
  makeEngines,
  runEngine,
  startBenchRegistry,
} from './engines.ts';
import { memoryAtRest } from './memory.ts';
import { type BenchSubjects, FLAT, MAKE_FILES, type Scenario, scenarios } from './scenarios.ts';

interface Row {
  readonly name: string;
  readonly medians: readonly [tsman: number, podman: number];
  readonly unit: 'ms' | 'MB';
  readonly aim: number | undefined;
}

/** Milliseconds, by hyperfine, both engines in one run. */
function measure(scenario: Scenario, engines: readonly [Engine, Engine], directory: string): Row {
  const results = join(directory, 'hyperfine.json');
  const quote = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
  const options = [
    '--shell=none',
    '--style=none',
    '--warmup=2',
    `--runs=${scenario.runs}`,
    `--export-json=${results}`,
  ];
  // One --prepare for each command, in the same order.
  const { prepare } = scenario;
  if (prepare !== undefined)
    options.push(
      ...engines.flatMap((engine) => ['--prepare', quote([...engine.command, ...prepare])]),
    );
  execFileSync(
    'hyperfine',
    [...options, ...engines.map((engine) => quote([...engine.command, ...scenario.args]))],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const parsed = JSON.parse(readFileSync(results, 'utf8')) as { results: { median: number }[] };
  const [tsman = Number.NaN, podman = Number.NaN] = parsed.results.map(
    ({ median }) => median * 1000,
  );
  return { name: scenario.name, medians: [tsman, podman], unit: 'ms', aim: scenario.aim };
}

function formatRow({ name, medians: [tsman, podman], unit, aim }: Row): string {
  const figure = (value: number): string => `${value.toFixed(1)} ${unit}`;
  const ratio = tsman / podman;
  const verdict = aim === undefined ? '' : `${aim.toFixed(1)} ${ratio <= aim ? 'met' : 'MISSED'}`;
  return `| ${name.padEnd(28)} | ${figure(tsman).padStart(10)} | ${figure(podman).padStart(10)} | ${ratio.toFixed(2).padStart(5)} | ${verdict.padEnd(10)} |`;
}

function table(rows: readonly Row[]): string {
  const heading = `| ${'median of'.padEnd(28)} |      tsman |     podman | ratio | aim        |`;
  return [
    heading,
    `| ${'-'.repeat(28)} | ---------: | ---------: | ----: | ---------- |`,
    ...rows.map(formatRow),
  ].join('\n');
}

function requireAll(...programs: readonly string[]): void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0)
    throw new Error(`not installed: ${missing.join(', ')} (scripts/setup --for-bench)`);
}

async function prepare(
  engines: readonly [Engine, Engine],
  directory: string,
): Promise<BenchSubjects> {
  const image = `${await startBenchRegistry(directory)}/debian:bookworm`;
  await pushDebian('gzip', image);
  for (const engine of engines) {
    runEngine(engine, 'pull', '--quiet', '--tls-verify=false', image);
    runEngine(
      engine,
      'run',
      '--detach',
      '--name',
      'idle',
      '--network',
      'none',
      image,
      'sleep',
      '1000000',
    );
    runEngine(
      engine,
      ...['run', '--name', 'files', '--network', 'none', image, 'bash', '-c'],
      MAKE_FILES,
    );
  }
  const archive = join(directory, 'flat.tar');
  runEngine(engines[0], 'import', join(await debianDirectory(), 'rootfs.tar'), FLAT);
  runEngine(engines[0], 'save', '-q', '-o', archive, FLAT);
  runEngine(engines[1], 'load', '-q', '-i', archive);
  return { image, archive };
}

function removeAll(engines: readonly Engine[], directory: string): void {
  for (const engine of engines) {
    try {
      runEngine(engine, 'rm', '--force', '--all');
      runEngine(
        engine,
        'unshare',
        'rm',
        '-rf',
        join(directory, engine.name === 'tsman' ? 't' : 'p'),
      );
    } catch (error) {
      console.error(`${engine.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  rmSync(directory, { recursive: true, force: true });
}

async function main(filters: readonly string[]): Promise<void> {
  requireAll('hyperfine', 'podman', 'skopeo', 'docker-registry');
  const directory = makeBenchDirectory();
  const engines = makeEngines(directory);
  const rows: Row[] = [];
  const wanted = (name: string): boolean =>
    filters.length === 0 || filters.some((filter) => name.includes(filter));
  try {
    const subjects = await prepare(engines, directory);
    const { image } = subjects;
    if (wanted('memory')) {
      const medians = engines.map((engine) => memoryAtRest(engine, image)) as [number, number];
      rows.push({ name: 'memory of a container at rest', medians, unit: 'MB', aim: undefined });
    }
    // `pull` removes the image, so that what uses it goes first; `idle` would keep it from going.
    for (const scenario of scenarios(subjects)) {
      if (!wanted(scenario.name)) continue;
      if (scenario.name === 'pull')
        for (const engine of engines) runEngine(engine, 'rm', '--force', 'idle', 'files');
      rows.push(measure(scenario, engines, directory));
      console.error(formatRow(rows.at(-1) as Row));
    }
  } finally {
    removeAll(engines, directory);
  }
  const text = `${table(rows)}\n\n${runEngine(engines[1], '--version').trim()}, ${engines[1].command.includes('runc') ? 'runc' : 'crun'}\n`;
  console.log(`\n${text}`);
  saveResult(text);
}

function saveResult(text: string): void {
  try {
    mkdirSync('bench/results', { recursive: true });
    writeFileSync(`bench/results/${new Date().toISOString().slice(0, 19)}.md`, text);
  } catch (error) {
    // The checkout may belong to root; the table is on the screen all the same.
    if (!['EACCES', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

await main(process.argv.slice(2));
process.exit();
