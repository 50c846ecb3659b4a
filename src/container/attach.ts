import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import { becomeHelper, explainRecord, writePlan } from '../helper/run.ts';
import type { CreateTarget } from './create.ts';
import type { Container } from './record.ts';
import type { StartOptions } from './start.ts';
import { isActive, readState, runDirectory } from './state.ts';

/** A fresh path for a plan that is read once and deleted by the helper. */
export function oneShotPlanPath(runRoot: string): string {
  const directory = `${runRoot}/plans`;
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  return `${directory}/${randomHex(8)}`;
}

/** Attaches to a running container by becoming the helper. */
export async function attachAndBecome(
  target: CreateTarget,
  container: Container,
  options: StartOptions,
): Promise<number> {
  const state = readState(target.directories, container.id);
  if (!isActive(state))
    throw new TsmanError(`container ${container.name} is not running`, {
      hint: `start it with tsman start -a ${container.name}`,
    });
  const path = oneShotPlanPath(target.directories.runRoot);
  writePlan(path, [
    explainRecord(target.directories, 'attach', container.name),
    ['run-dir', runDirectory(target.directories, container.id)],
    ['attach', options.attach.join(',')],
    ...(options.detachKeys === undefined
      ? []
      : [['detach-keys', options.detachKeys.toString('hex')] as const]),
    ...(options.sigProxy ? [['sig-proxy'] as const] : []),
  ]);
  return await becomeHelper('attach', path);
}
