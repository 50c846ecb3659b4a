import { existsSync } from 'node:fs';
import { UsageError } from '../base/error.ts';
import { sleep } from '../base/sleep.ts';
import type { CreateTarget } from './create.ts';
import { readEvents } from './events/event-log.ts';
import type { Container } from './record.ts';
import { type ContainerState, containerDirectory, readState } from './state.ts';
import { waitForEnd } from './stop.ts';

export const WAIT_CONDITIONS = [
  'configured',
  'created',
  'exited',
  'healthy',
  'initialized',
  'paused',
  'removing',
  'running',
  'stopped',
  'stopping',
  'unhealthy',
] as const;

export type WaitCondition = (typeof WAIT_CONDITIONS)[number];

/** @throws UsageError */
export function parseConditions(words: readonly string[]): WaitCondition[] {
  return words
    .flatMap((word) => word.split(','))
    .map((word) => {
      const known = WAIT_CONDITIONS.find((condition) => condition === word.toLowerCase());
      if (known === undefined)
        throw new UsageError(`option --condition: ${JSON.stringify(word)} is not a condition`, {
          hint: `conditions are ${WAIT_CONDITIONS.join(', ')}`,
        });
      return known;
    });
}

export interface WaitRequest {
  /** Any of them ends the wait; none = the end of the container. */
  readonly conditions: readonly WaitCondition[];
  readonly intervalMs: number;
}

/**
 * Waits for a container and returns its exit code, or -1 when it was a condition other than its end
 * that came true.
 */
export async function waitForContainer(
  target: CreateTarget,
  container: Container,
  { conditions, intervalMs }: WaitRequest,
  signal?: AbortSignal,
): Promise<number> {
  const waitsForEnd = conditions.every((it) => it === 'exited' || it === 'stopped');
  if (waitsForEnd) {
    await waitForEnd(target, container, Number.POSITIVE_INFINITY, signal);
    return await exitCodeOf(target, container);
  }
  for (;;) {
    const state = readState(target.directories, container.id);
    const gone = !existsSync(containerDirectory(target.directories, container.id));
    const met = conditions.find((condition) => gone || holds(condition, state));
    if (met === 'exited' || met === 'stopped') return await exitCodeOf(target, container);
    if (met !== undefined) return -1;
    signal?.throwIfAborted();
    await sleep(intervalMs);
  }
}

function holds(condition: WaitCondition, state: ContainerState): boolean {
  switch (condition) {
    // There is nothing between these three here: a start does it all.
    case 'configured':
    case 'created':
    case 'initialized':
      return state.status === 'created';
    case 'exited':
    case 'stopped':
      return state.status === 'exited';
    case 'running':
    case 'paused':
    case 'stopping':
      return state.status === condition;
    case 'healthy':
    case 'unhealthy':
      return state.health === condition;
    case 'removing':
      return false;
  }
}

/** A `--rm` container takes its exit file along; its event stays. */
async function exitCodeOf(target: CreateTarget, container: Container): Promise<number> {
  const { exitCode } = readState(target.directories, container.id);
  if (exitCode !== undefined) return exitCode;
  let last = 0;
  for await (const event of readEvents(target.storage, undefined))
    if (event.id === container.id && event.action === 'died') last = event.exitCode ?? last;
  return last;
}
