import { hasCode, TsmanError } from '../../base/error.ts';
import { sleep } from '../../base/sleep.ts';
import type { Directories } from '../../rootless/directories.ts';
import type { Container } from '../record.ts';
import { isActive, readState } from '../state.ts';
import { type HealthResult, readHealth } from './health.ts';

const SIGUSR1 = 10;
const POLL_MS = 10;

/**
 * Has the monitor probe a container now and waits for the result, which counts as any other: only the
 * monitor knows the streak.
 * @throws TsmanError when the container does not run
 */
export async function runHealthCheck(
  directories: Directories,
  container: Container,
): Promise<HealthResult> {
  const before = last(directories, container)?.Start ?? '';
  for (;;) {
    const state = readState(directories, container.id);
    if (!isActive(state) || state.monitorPid === 0)
      throw new TsmanError(`container ${container.name} is not running`);
    // Again and again: a probe that is under way is not ours, and a resting container has none.
    askForProbe(state.monitorPid);
    for (let waitedMs = 0; waitedMs < 500; waitedMs += POLL_MS) {
      const result = last(directories, container);
      if (result !== undefined && result.Start > before) return result;
      await sleep(POLL_MS);
    }
  }
}

/** A monitor that ends at this moment is seen when its state is read again. */
function askForProbe(monitorPid: number): void {
  try {
    process.kill(monitorPid, SIGUSR1);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

function last(directories: Directories, { id, spec }: Container): HealthResult | undefined {
  return readHealth(directories, id, spec.health)?.Log.at(-1);
}
