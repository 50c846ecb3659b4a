import { TsmanError } from '../base/error.ts';
import { containerRowsWith } from '../storage/containers.ts';
import type { CreateTarget } from './create.ts';
import { isGone } from './existing.ts';
import { type Container, findContainer, toContainer } from './record.ts';
import { startInBackground } from './start.ts';
import { readState } from './state.ts';

/** The containers that need this one: by `--requires`, or because they share a namespace of it. */
export function dependentsOf(target: CreateTarget, container: Container): Container[] {
  return containerRowsWith(target.storage, container.id)
    .map(toContainer)
    .filter((it) => (it.spec.requires ?? []).includes(container.id) && !isGone(target, it));
}

/** Those and their own dependents, the outermost first: the order in which they can be removed. */
export function allDependentsOf(target: CreateTarget, container: Container): Container[] {
  const found = new Map<string, Container>();
  const visit = (one: Container): void => {
    for (const next of dependentsOf(target, one)) {
      if (found.has(next.id)) continue;
      visit(next);
      found.set(next.id, next);
    }
  };
  visit(container);
  return [...found.values()];
}

/** @throws TsmanError when another container needs this one */
export function refuseIfNeeded(target: CreateTarget, container: Container): void {
  const [first] = dependentsOf(target, container);
  if (first === undefined) return;
  throw new TsmanError(`container ${container.name} is needed by container ${first.name}`, {
    hint: `remove that first, or both with tsman rm --depend ${container.name}`,
  });
}

/** Starts what a container needs and does not run yet, innermost first. */
export async function startRequired(target: CreateTarget, container: Container): Promise<void> {
  for (const id of container.spec.requires ?? []) {
    const needed = findContainer(target.storage, id);
    if (readState(target.directories, needed.id).pid !== 0) continue;
    await startRequired(target, needed);
    await startInBackground(target, needed);
  }
}
