import { UsageError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { existingContainers, isGone } from '../container/existing.ts';
import { type Filters, matchesFilters, parseFilters } from '../container/filters.ts';
import { type Container, ContainerNotFound, findContainer } from '../container/record.ts';
import { type ContainerStatus, readState } from '../container/state.ts';
import { shouldStartOnBoot } from '../container/wanted.ts';
import { printFailure } from '../output/failure.ts';
import type { CommandContext } from './command.ts';
import type { Engine } from './engine.ts';

/** The options by which a command chooses containers. */
export interface Selection {
  readonly names: readonly string[];
  readonly all: boolean;
  readonly latest: boolean;
  readonly cidfiles: readonly string[];
  /** `--filter`, as with ps. */
  readonly filters: readonly string[];
  /** Absent ones are passed over in silence (`--ignore`). */
  readonly ignoreMissing: boolean;
  /** What an absent one makes the exit code; undefined = 125. */
  readonly missingExitCode?: number;
}

export { existingContainers };

/** The container called so. @throws TsmanError when there is none */
export function existingContainer(engine: Engine, text: string): Container {
  const container = findContainer(engine.storage, text);
  // A --rm container that its monitor has just removed: word it as if the row were gone too.
  return isGone(engine, container) ? findContainer(engine.storage, `${text} `) : container;
}

/**
 * Does `work` for each chosen container and prints what it returns, as Docker does; goes on after a
 * failure and exits 125 at the end.
 * @param only with `--all`, those in one of these states
 */
export async function forEachContainer(
  context: CommandContext,
  selection: Selection,
  only: readonly ContainerStatus[] | undefined,
  work: (container: Container, engine: Engine) => Promise<string | undefined> | string | undefined,
): Promise<number> {
  const engine = context.openEngine();
  let exitCode = 0;
  const report = (error: unknown, code?: number): void => {
    const usual = printFailure(error, context.stderr);
    exitCode = Math.max(exitCode, code ?? usual);
  };
  const chosen = choose(engine, selection, only, report);
  for (const { container, shown } of chosen) {
    try {
      const line = await work(container, engine);
      if (line !== undefined) context.stdout.write(`${line === '' ? shown : line}\n`);
    } catch (error) {
      report(error);
    }
  }
  return exitCode;
}

interface Chosen {
  readonly container: Container;
  /** What the user called it: echoed back, as Docker does. */
  readonly shown: string;
}

function choose(
  engine: Engine,
  selection: Selection,
  only: readonly ContainerStatus[] | undefined,
  report: (error: unknown, code?: number) => void,
): Chosen[] {
  const names = [...selection.names, ...selection.cidfiles.map(readCidfile)];
  const { all, latest, filters } = selection;
  if (all || latest || filters.length > 0) {
    if (names.length > 0)
      throw new UsageError(
        `option --${all ? 'all' : latest ? 'latest' : 'filter'} and container names exclude each other`,
      );
    return chooseBySettings(engine, selection, only);
  }
  if (names.length === 0)
    throw new UsageError('which container? Give a name or ID, or --all or --latest');
  return names.flatMap((shown) => {
    try {
      return [{ container: existingContainer(engine, shown), shown }];
    } catch (error) {
      if (!(error instanceof ContainerNotFound)) report(error);
      else if (!selection.ignoreMissing) report(error, selection.missingExitCode);
      return [];
    }
  });
}

function chooseBySettings(
  engine: Engine,
  { latest, filters }: Selection,
  only: readonly ContainerStatus[] | undefined,
): Chosen[] {
  const parsed = containerFilters(engine, filters);
  const existing = existingContainers(engine);
  return (latest ? existing.slice(-1) : existing)
    .filter((container) => {
      const state = readState(engine.directories, container.id);
      return (
        (only === undefined || only.includes(state.status)) &&
        matchesFilters(parsed, container, state)
      );
    })
    .map((container) => ({ container, shown: container.id }));
}

/** Parses `--filter`, where `before=` and `since=` may name containers. */
export function containerFilters(engine: Engine, values: readonly string[]): Filters {
  return parseFilters(values, {
    createdAt: (name) => new Date(existingContainer(engine, name).createdAt),
    shouldStartOnBoot: (container) => shouldStartOnBoot(engine.directories, container),
  });
}

/** @throws UsageError when the file has no container ID */
export function readCidfile(path: string): string {
  const id = readIfExists(path)?.trim();
  if (id === undefined || id === '')
    throw new UsageError(`option --cidfile ${path}: no container ID in it`);
  return id;
}
