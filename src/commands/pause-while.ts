import type { Writable } from 'node:stream';
import type { Container } from '../container/record.ts';
import { readState } from '../container/state.ts';
import type { Engine } from './engine.ts';

/** Runs `work` with the container frozen, where it runs and freezing is asked for and possible. */
export async function withPause<T>(
  engine: Engine,
  container: Container,
  isWanted: boolean,
  stderr: Writable,
  work: () => Promise<T>,
): Promise<T> {
  const isRunning = readState(engine.directories, container.id).status === 'running';
  if (isWanted && isRunning)
    stderr.write(
      `Warning: container ${container.name} cannot be paused here; it goes on running\n`,
    );
  return await work();
}
