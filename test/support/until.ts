import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Generous: on a busy machine everything takes long, and nobody waits longer than it takes. */
const PATIENCE_MS = 60_000;

/** Waits until something is so. @throws naming it when it never is */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

/** Waits until a process has ended: one that was killed may go on for a moment. */
export async function untilEnded(pid: number): Promise<void> {
  await until(`process ${pid} has ended`, () => !isAlive(pid));
}

/** A zombie whose parent is slow has ended, too. */
export function isAlive(pid: number): boolean {
  try {
    return (
      existsSync(`/proc/${pid}`) &&
      !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    );
  } catch {
    return false; // Gone between the two.
  }
}
