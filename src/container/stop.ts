import * as fs from 'node:fs';
import { hasCode, TsmanError } from '../base/error.ts';
import { thaw } from './cgroup/freezer.ts';
import type { CreateTarget } from './create.ts';
import { recordEvent } from './events/events.ts';
import type { Container } from './record.ts';
import { type ContainerState, containerDirectory, isActive, readState } from './state.ts';
import { noteStopped, type Wanted } from './wanted.ts';

const SIGTERM = 15;

/**
 * Sends a signal to the container's first process. The kernel lets the owner of a user namespace
 * signal whatever runs in it (kill(2), user_namespaces(7)), so no helper is needed.
 * @returns false when it has ended meanwhile
 */
export function killContainer(state: Pick<ContainerState, 'pid'>, signal: number): boolean {
  return state.pid !== 0 && signalProcess(state.pid, signal);
}

function signalProcess(pid: number, signal: number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw new TsmanError(`signal process ${pid}`, { cause: error });
  }
}

/** Ends the monitor of a container that rests between two runs. @returns false when it did not rest */
export async function endRest(
  target: Pick<CreateTarget, 'directories'>,
  container: Pick<Container, 'id'>,
  state: ContainerState,
): Promise<boolean> {
  if (state.status !== 'restarting') return false;
  signalProcess(state.monitorPid, SIGTERM);
  // It may have begun the next run at this moment: then there is a process to stop.
  return await waitForEnd(target, container, 500);
}

/**
 * Sends the stop signal, and SIGKILL after the timeout. That it is stopped is recorded first, also of
 * a container that does not run now: then it does not begin to after a boot either.
 * @returns whether SIGKILL was needed
 */
export async function stopContainer(
  target: CreateTarget,
  container: Container,
  timeoutSeconds: number,
  wanted: Exclude<Wanted, 'running'> = 'stopped',
): Promise<{ killed: boolean }> {
  const state = readState(target.directories, container.id);
  const startsOnBoot = (container.spec.restart?.name ?? 'no') !== 'no';
  if (isActive(state) || wanted === 'stopped')
    noteStopped(target.directories, container, wanted, startsOnBoot);
  if (!isActive(state)) return { killed: false };
  recordEvent(target.storage, 'stop', container);
  thaw(container, state);
  if (await endRest(target, container, state)) return { killed: false };
  if (timeoutSeconds > 0) {
    killContainer(state, container.spec.stopSignal);
    if (await waitForEnd(target, container, timeoutSeconds * 1000)) return { killed: false };
  }
  await killAndWait(target, container);
  return { killed: true };
}

const LONGEST_END_MS = 10_000;
/** Where nothing is stuck a killed container has ended long before. */
const USUAL_END_MS = 500;

/** Ends a container with SIGKILL. @throws TsmanError when its processes stay */
export async function killAndWait(
  target: Pick<CreateTarget, 'directories'>,
  container: Pick<Container, 'id' | 'name'>,
): Promise<void> {
  killContainer(readState(target.directories, container.id), 9);
  if (await waitForEnd(target, container, USUAL_END_MS)) return;
  const { wakeStoppedHelpers } = await import('./stopped-helpers.ts');
  wakeStoppedHelpers();
  if (await waitForEnd(target, container, LONGEST_END_MS)) return;
  throw new TsmanError(`container ${container.name}: its processes do not end after SIGKILL`, {
    hint: 'a process may be stuck in the kernel, e.g. on a dead network file system; try again later',
  });
}

/** Most containers end sooner: to look at once is cheaper than inotify, for which a thread is started. */
const SOON_MS = 150;

/**
 * Waits until neither the container's first process nor its monitor lives.
 * @param timeoutMs Infinity = for ever
 * @returns false when the time is over
 */
export async function waitForEnd(
  target: Pick<CreateTarget, 'directories'>,
  container: Pick<Container, 'id'>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  const watchFrom = performance.now() + SOON_MS;
  let watcher: Watcher | undefined;
  try {
    // The monitor renames `exit` into place just before it leaves: look often then, seldom otherwise.
    for (
      let pauseMs = 1;
      ;
      pauseMs = Math.min(pauseMs * 2, watcher?.changed() === false ? 50 : 4)
    ) {
      const state = readState(target.directories, container.id);
      if (!isActive(state)) return true;
      const now = performance.now();
      if (now >= deadline) return false;
      signal?.throwIfAborted();
      if (now >= watchFrom)
        watcher ??= watchDirectory(containerDirectory(target.directories, container.id));
      const untilMs = Math.min(pauseMs, deadline - now);
      await (watcher?.pause(untilMs) ?? new Promise((resolve) => setTimeout(resolve, untilMs)));
    }
  } finally {
    watcher?.close();
  }
}

interface Watcher {
  pause(ms: number): Promise<void>;
  changed(): boolean;
  close(): void;
}

/** A pause that ends early when something in the directory changes. */
function watchDirectory(path: string): Watcher {
  let wake: (() => void) | undefined;
  let hasChanged = false;
  let watcher: fs.FSWatcher | undefined;
  try {
    watcher = fs.watch(path, () => {
      hasChanged = true;
      wake?.();
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    // No inotify left, or the directory has just gone: the pauses alone do.
  }
  return {
    pause: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    changed: () => hasChanged,
    close: () => watcher?.close(),
  };
}
