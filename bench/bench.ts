import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pushDebian } from '../test/support/debian.ts';
import { findProgram } from '../test/support/programs.ts';
import {
  type Engine,
  makeBenchDirectory,
  makeEngines,
  runEngine,
  startBenchRegistry,
} from './engines.ts';
import { measureScenario } from './measure.ts';
import type { Bench, Scenario } from './scenario.ts';
import { imageScenarios } from './scenarios/images.ts';
import { lifeScenarios } from './scenarios/life.ts';
import { networkScenarios } from './scenarios/networks.ts';
import { registryScenarios } from './scenarios/registries.ts';
import { volumeScenarios } from './scenarios/volumes.ts';
import { formatRow, formatTable, type Row } from './table.ts';

const SUBJECTS: Readonly<Record<string, readonly Scenario[]>> = {
  life: lifeScenarios,
  images: imageScenarios,
  registries: registryScenarios,
  volumes: volumeScenarios,
  networks: networkScenarios,
};
const MAIN_STORE = 'main';

type Pair = readonly [tsman: Engine, podman: Engine];

/**
 * Every scenario, or those whose subject is one of the words or whose name contains one; a word that
 * is a scenario's whole name chooses that one alone.
 */
function choose(filters: readonly string[]): readonly Scenario[] {
  return Object.entries(SUBJECTS).flatMap(([subject, scenarios]) =>
    scenarios.filter(
      ({ name }) =>
        filters.length === 0 ||
        filters.some(
          (filter) =>
            filter === subject || (isWhole(filter) ? name === filter : name.includes(filter)),
        ),
    ),
  );
}

function isWhole(filter: string): boolean {
  return Object.values(SUBJECTS).some((scenarios) => scenarios.some(({ name }) => name === filter));
}

function requireAll(...programs: readonly string[]): void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0)
    throw new Error(`not installed: ${missing.join(', ')} (scripts/setup --for-bench)`);
}

async function makeBench(directory: string): Promise<Bench> {
  const registry = await startBenchRegistry(directory);
  const image = `${registry}/debian:bookworm`;
  await pushDebian('gzip', image);
  return { directory, registry, image };
}

function fillMainStore({ image }: Bench, engine: Engine): void {
  runEngine(engine, 'pull', '--quiet', '--tls-verify=false', image);
  const idle = ['--detach', '--name', 'idle', '--network', 'none'];
  runEngine(engine, 'run', ...idle, image, 'sleep', '1000000');
}

function removeStore(engine: Engine): void {
  try {
    runEngine(engine, 'rm', '--force', '--all', '--time', '0');
    // podman keeps its own directory mounted on itself in the namespace of its pause process.
    const script = 'umount -q "$1/overlay"; rm -rf "$@"';
    runEngine(engine, 'unshare', 'sh', '-c', script, 'sh', ...engine.roots);
  } catch (error) {
    warn(error);
  }
}

function removeDirectory(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    // What an engine left there must not hide why.
    warn(error);
  }
}

function warn(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
}

async function runScenarios(bench: Bench, stores: Map<string, Pair>, chosen: readonly Scenario[]) {
  const rows: Row[] = [];
  for (const scenario of chosen) {
    const store = scenario.store ?? MAIN_STORE;
    let engines = stores.get(store);
    if (engines === undefined) {
      engines = makeEngines(bench.directory, store);
      stores.set(store, engines);
      if (store === MAIN_STORE) for (const engine of engines) fillMainStore(bench, engine);
    }
    for (const engine of engines) await scenario.setup?.(bench, engine);
    const made = await measureScenario(bench, scenario, engines);
    for (const engine of engines) await scenario.cleanup?.(bench, engine);
    for (const row of made) console.error(formatRow(row));
    rows.push(...made);
  }
  return rows;
}

async function main(filters: readonly string[]): Promise<void> {
  requireAll('hyperfine', 'podman', 'skopeo', 'docker-registry');
  const chosen = choose(filters);
  if (chosen.length === 0) throw new Error(`no scenario is called ${filters.join(' or ')}`);
  const directory = makeBenchDirectory();
  const stores = new Map<string, Pair>();
  let text = '';
  try {
    const rows = await runScenarios(await makeBench(directory), stores, chosen);
    const podman = [...stores.values()][0]?.[1] as Engine;
    const runtime = podman.command.includes('runc') ? 'runc' : 'crun';
    text = `${formatTable(rows)}\n\n${runEngine(podman, '--version').trim()}, ${runtime}\n`;
  } finally {
    for (const engine of [...stores.values()].flat()) removeStore(engine);
    removeDirectory(directory);
  }
  console.log(`\n${text}`);
  saveResult(text);
}

function saveResult(text: string): void {
  try {
    mkdirSync('bench/results', { recursive: true });
    writeFileSync(join('bench/results', `${new Date().toISOString().slice(0, 19)}.md`), text);
  } catch (error) {
    // The checkout may belong to root; the table is on the screen all the same.
    if (!['EACCES', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

await main(process.argv.slice(2));
process.exit();
