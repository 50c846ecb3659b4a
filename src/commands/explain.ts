import { TsmanError } from '../base/error.ts';
import { findContainer } from '../container/record.ts';
import { removeContainer } from '../container/remove.ts';
import { unmarkStarted } from '../container/start-mark.ts';
import { describeFailure } from '../helper/failure.ts';
import type { Engine } from './engine.ts';

/**
 * What a failed helper turns into: `tsman __explain KIND NAME STEP SUBJECT ERRNO`. Words the error,
 * and removes a `--rm` container that never ran.
 * @throws TsmanError always
 */
export async function explain(engine: Engine, args: readonly string[]): Promise<never> {
  const [kind, name = '', step = '', subject = '', errno = '0'] = args;
  const failure = { step, subject, errno: Number(errno) };
  if (kind !== 'start')
    throw describeFailure(kind === 'unshare' ? 'unshare' : `${kind} in container ${name}`, failure);
  const container = findContainer(engine.storage, name);
  // With this one another start was faster, and the marks are its own.
  if (step !== 'lock') unmarkStarted(engine.directories, container.id);
  if (container.autoRemove)
    await removeContainer(engine, container, { force: true }).catch(rememberLeftover);
  throw describeFailure(`start container ${container.name}`, failure);
}

/** The start's failure is what the user must read; what could not be removed, prune finds. */
function rememberLeftover(error: unknown): void {
  if (!(error instanceof TsmanError)) throw error;
}
