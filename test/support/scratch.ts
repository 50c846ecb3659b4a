import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endProcesses, findProcesses } from './leftovers.ts';
import { type CommandResult, describe, runTsman, type Tsman, tsmanRunner } from './tsman.ts';

/** A data root and a run root of its own, gone after the test. */
export interface Scratch {
  readonly directory: string;
  readonly root: string;
  readonly runRoot: string;
  /** A new empty directory for the test's own files. */
  makeDirectory(name: string): string;
}

/**
 * Gives the test a `tsman` with empty storage and run directory. Afterwards every container is
 * removed, a process left behind fails the test, and the directory goes, unless TSMAN_TEST_KEEP=1.
 */
export async function withScratch(
  body: (tsman: Tsman, scratch: Scratch) => Promise<void> | void,
): Promise<void> {
  const scratch = makeScratch();
  const history: CommandResult[] = [];
  const onTerminate = (): void => {
    // The runner's time limit: tidy up as after a test, and then really end.
    process.stderr.write(`timed out; ${describe(history.at(-1))}\n`);
    void removeScratch(scratch).finally(() => process.exit(143));
  };
  process.once('SIGTERM', onTerminate);
  try {
    await body(tsmanRunner(scratch, history), scratch);
  } catch (error) {
    process.stderr.write(`\n${describe(history.at(-1))}\n`);
    await removeScratch(scratch).catch((second: unknown) =>
      process.stderr.write(`and then: ${second}\n`),
    );
    throw error;
  } finally {
    process.off('SIGTERM', onTerminate);
  }
  await removeScratch(scratch);
}

function makeScratch(): Scratch {
  // Not TMPDIR, and short: <run root>/containers/<64 digits>/attach.sock must fit into the 107 bytes of
  // a socket's name. Not /tmp, which may be a tmpfs: images are large.
  const directory = mkdtempSync('/var/tmp/t');
  const scratch = { directory, root: join(directory, 'd'), runRoot: join(directory, 'r') };
  mkdirSync(scratch.root, { mode: 0o700 });
  mkdirSync(scratch.runRoot, { mode: 0o700 });
  const makeDirectory = (name: string): string => {
    const path = join(directory, name);
    mkdirSync(path);
    return path;
  };
  return { ...scratch, makeDirectory };
}

/** @throws Error when a process of this scratch survives the removal of all containers */
async function removeScratch(scratch: Scratch): Promise<void> {
  const containers = join(scratch.root, 'containers');
  if (existsSync(containers) && readdirSync(containers).length > 0)
    await runTsman(scratch, ['rm', '--force', '--all']);
  const left = await findProcesses(scratch.directory);
  await endProcesses(left);
  if (process.env['TSMAN_TEST_KEEP'] === '1') process.stderr.write(`kept ${scratch.directory}\n`);
  else await removeTree(scratch);
  if (left.length > 0)
    throw new Error(
      `processes left behind:\n${left.map((it) => `  ${it.pid} ${it.command}`).join('\n')}`,
    );
}

async function removeTree(scratch: Scratch): Promise<void> {
  try {
    rmSync(scratch.directory, { recursive: true, force: true });
  } catch {
    // Files of subordinate ids: only root of the user namespace may remove them.
    const { exitCode, stderr } = await runTsman(scratch, ['unshare', 'rm', '-rf', scratch.root]);
    if (exitCode !== 0) throw new Error(`cannot remove ${scratch.directory}: ${stderr}`);
    rmSync(scratch.directory, { recursive: true, force: true });
  }
}
