import { realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { TsmanError } from '../base/error.ts';
import type { CopyEnd } from '../container/files/copy.ts';
import { containerOwner } from '../container/files/file-owner.ts';
import type { Container } from '../container/record.ts';
import { openRootAgent, openSecondRootAgent } from '../container/root/root-agent.ts';
import type { FsAgent } from '../helper/fs-agent.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import type { Engine } from './engine.ts';
import { existingContainer } from './selection.ts';

/** One argument of `cp`. */
export interface TypedEnd {
  readonly container: Container | undefined;
  readonly path: string;
  readonly shown: string;
  /** `-` */
  readonly isStream: boolean;
}

/** A colon makes it a container's, unless a slash or dot comes before it. @throws TsmanError */
export function parseEnd(engine: Engine, text: string): TypedEnd {
  const colon = text.indexOf(':');
  if (colon <= 0 || /^[./]/.test(text))
    return { container: undefined, path: text, shown: text, isStream: text === '-' };
  const container = existingContainer(engine, text.slice(0, colon));
  return { container, path: text.slice(colon + 1) || '/', shown: text, isStream: false };
}

/**
 * Starts the agent that reads or writes there. Always `closeEnd` it.
 * @param other the end opened before, which may be in the same container
 */
export async function openEnd(
  engine: Engine,
  end: TypedEnd,
  other?: { readonly typed: TypedEnd; readonly opened: CopyEnd | undefined },
): Promise<CopyEnd> {
  const { container, path: inside, shown } = end;
  if (container !== undefined) {
    const first = other?.typed.container?.id === container.id ? other.opened?.agent : undefined;
    const agent =
      first === undefined
        ? openRootAgent(engine, container)
        : await openSecondRootAgent(engine, container, first);
    return { agent, path: inside, shown };
  }
  const { directory, path } = hostPlace(end.path);
  return { agent: openFsAgent(engine, directory), path, shown: end.shown };
}

/**
 * A path of the host's, as a directory that exists and a path below it. The links of the host's are
 * the user's own, and may lead anywhere.
 */
function hostPlace(typed: string): { directory: string; path: string } {
  const suffix = /\/\.?$/.exec(typed)?.[0] ?? (typed === '.' ? '/.' : '');
  const whole = resolve(typed);
  const real = realPath(whole);
  if (real !== undefined) {
    if (real === '/') return { directory: '/', path: '/.' };
    return { directory: dirname(real), path: basename(real) + suffix };
  }
  const parent = realPath(dirname(whole));
  if (parent === undefined) throw new TsmanError(`copy ${typed}: no such file or directory`);
  return { directory: parent, path: basename(whole) + suffix };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** In a container files belong to its user, on the host to the caller. */
export async function ownerAt(
  end: TypedEnd,
  agent: FsAgent,
  archive: boolean,
): Promise<{ uid: number; gid: number } | undefined> {
  if (!archive) return undefined;
  return end.container === undefined
    ? { uid: 0, gid: 0 }
    : await containerOwner(agent, end.container);
}

export async function closeEnd(end: CopyEnd | undefined): Promise<void> {
  await end?.agent.close();
}
