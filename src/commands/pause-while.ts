import { setFrozen } from '../container/cgroup/freezer.ts';
import { cgroupOf } from '../container/cgroup/own-cgroup.ts';
import type { Container } from '../container/record.ts';
import { readState } from '../container/state.ts';
import type { Output } from '../output/output.ts';
import type { Engine } from './engine.ts';

/** Runs `work` with the container frozen, where that is asked for and possible; says when it is not. */
export async function withPause<T>(
  engine: Engine,
  container: Container,
  isWanted: boolean,
  stderr: Output,
  work: () => Promise<T>,
): Promise<T> {
  const state = readState(engine.directories, container.id);
  if (!isWanted || state.pid === 0 || state.status === 'paused') return await work();
  if (cgroupOf(container.id, state.pid) === undefined) {
    stderr.write(
      `Warning: container ${container.name} has no cgroup to freeze; it goes on running meanwhile\n`,
    );
    return await work();
  }
  setFrozen(container, state, true);
  try {
    return await work();
  } finally {
    setFrozen(container, state, false);
  }
}
