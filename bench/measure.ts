import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './engines.ts';
import type { Bench, CommandScenario, FigureScenario, Scenario, Words } from './scenario.ts';
import { median, type Row } from './table.ts';

type Pair = readonly [tsman: Engine, podman: Engine];

/** hyperfine runs one engine after the other; in blocks a change of the machine's speed meets both. */
const BLOCKS = 3;
const MEMORY_RUNS = 3;
const WARMUPS = { first: 2, later: 1 } as const;
const NO_WARMUPS = { first: 0, later: 0 } as const;

/** The rows of one scenario. Its setup is done. */
export async function measureScenario(
  bench: Bench,
  scenario: Scenario,
  engines: Pair,
): Promise<Row[]> {
  return 'measure' in scenario
    ? [await measureFigure(bench, scenario, engines)]
    : measureCommand(bench, scenario, engines);
}

async function measureFigure(bench: Bench, scenario: FigureScenario, engines: Pair): Promise<Row> {
  const figures: [number[], number[]] = [[], []];
  for (let run = 0; run < scenario.runs; run++)
    for (const index of [0, 1] as const)
      figures[index].push(await scenario.measure(bench, engines[index]));
  const { name, unit, aim } = scenario;
  return { name, unit, aim, medians: [median(figures[0]), median(figures[1])] };
}

function measureCommand(bench: Bench, scenario: CommandScenario, engines: Pair): Row[] {
  const { name, aim, cpu, peak } = scenario;
  const prepares = engines.map((engine) => prepareScript(bench, scenario, engine));
  const commands = engines.map((engine) => [...engine.command, ...scenario.args(bench, engine)]);
  const blocks = Math.min(BLOCKS, scenario.runs);
  const warmups = scenario.isLong ? NO_WARMUPS : WARMUPS;
  const results = Array.from({ length: blocks }, (_, block) =>
    runHyperfine(bench, scenario, {
      commands,
      prepares,
      runs: Math.ceil(scenario.runs / blocks),
      warmup: block === 0 ? warmups.first : warmups.later,
    }),
  );
  const pair = (pick: (result: Result) => number[]): [number, number] => [
    median(results.flatMap(([tsman]) => (tsman ? pick(tsman) : []))) * 1000,
    median(results.flatMap(([, podman]) => (podman ? pick(podman) : []))) * 1000,
  ];
  const rows: Row[] = [{ name, unit: 'ms', aim, medians: pair(({ times }) => times) }];
  if (cpu !== undefined) {
    const medians = pair(({ user, system }) => [user + system]);
    rows.push({ name: `  its CPU time`, unit: 'ms', aim: aimOf(cpu), medians });
  }
  if (peak !== undefined) {
    const [tsman = Number.NaN, podman = Number.NaN] = commands.map((command, index) =>
      peakMemory(bench, command, prepares[index], scenario.isLong ? 1 : MEMORY_RUNS),
    );
    rows.push({
      name: `  its peak memory`,
      unit: 'MB',
      aim: aimOf(peak),
      medians: [tsman, podman],
    });
  }
  return rows;
}

function aimOf(row: NonNullable<CommandScenario['cpu']>): Row['aim'] {
  return row === true ? undefined : row;
}

interface Result {
  readonly times: number[];
  readonly user: number;
  readonly system: number;
}

interface Block {
  readonly commands: readonly Words[];
  readonly prepares: readonly (string | undefined)[];
  readonly runs: number;
  readonly warmup: number;
}

function runHyperfine(bench: Bench, scenario: CommandScenario, block: Block): Result[] {
  const json = join(bench.directory, 'hyperfine.json');
  const options = ['--shell=none', '--style=none', `--export-json=${json}`];
  options.push(`--warmup=${block.warmup}`, `--runs=${block.runs}`);
  if (scenario.pipe === true) options.push('--output=pipe');
  // One --prepare for each command, in the same order.
  options.push(...block.prepares.flatMap((script) => (script ? ['--prepare', script] : [])));
  const lines = block.commands.map(quote);
  execFileSync('hyperfine', [...options, ...lines], { stdio: ['ignore', 'ignore', 'pipe'] });
  return (JSON.parse(readFileSync(json, 'utf8')) as { results: Result[] }).results;
}

function quote(words: Words): string {
  return words.map((word) => `'${word}'`).join(' ');
}

function prepareScript(
  bench: Bench,
  scenario: CommandScenario,
  engine: Engine,
): string | undefined {
  if (scenario.prepare === undefined) return undefined;
  const path = join(bench.directory, `prepare-${engine.name}`);
  const lines = scenario.prepare(bench).map((words) => quote([...engine.command, ...words]));
  writeFileSync(path, `#!/bin/sh\nset -e\n${lines.join('\n')}\n`, { mode: 0o755 });
  return path;
}

/** Megabytes: ru_maxrss of the children waited for (getrusage(2)), by GNU time. */
function peakMemory(
  bench: Bench,
  command: Words,
  prepare: string | undefined,
  runs: number,
): number {
  const output = join(bench.directory, 'time');
  const peaks = Array.from({ length: runs }, () => {
    if (prepare !== undefined) execFileSync(prepare, { stdio: 'ignore' });
    execFileSync('/usr/bin/time', ['-f', '%M', '-o', output, ...command], { stdio: 'ignore' });
    return Number(readFileSync(output, 'utf8').trim()) / 1024;
  });
  return median(peaks);
}
