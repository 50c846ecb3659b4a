import { constants } from 'node:fs';
import { TsmanError } from '../../base/error.ts';
import type { FsAgent } from '../../helper/fs-agent.ts';
import type { FsEntry } from '../../helper/fs-protocol.ts';

const LINKS_MAX = 40;

export interface Resolved {
  /** Without links, below the agent's directory; latin1 text, one character for each byte. */
  readonly path: string;
  /** Undefined: nothing is there. */
  readonly entry: FsEntry | undefined;
}

export function isDirectory(entry: FsEntry | undefined): boolean {
  return entry !== undefined && (entry.mode & constants.S_IFMT) === constants.S_IFDIR;
}

/**
 * Follows the links of a path, the last one too, as a process with this root would. What is found is
 * only a name: the agent looks it up again, below its directory, whatever was swapped meanwhile.
 */
export async function resolveInside(agent: FsAgent, path: string): Promise<Resolved> {
  let rest = Buffer.from(path).toString('latin1').split('/');
  let done: string[] = [];
  let links = 0;
  let entry = await agent.stat('');
  while (rest.length > 0) {
    const [name = '', ...later] = rest;
    rest = later;
    if (name === '' || name === '.') continue;
    if (name === '..') done = done.slice(0, -1);
    else done.push(name);
    entry = await agent.stat(Buffer.from(done.join('/'), 'latin1'));
    if (entry === undefined || (entry.mode & constants.S_IFMT) !== constants.S_IFLNK) continue;
    if (++links > LINKS_MAX) throw new TsmanError(`${path}: too many levels of symbolic links`);
    const target = entry.linkTarget.toString('latin1');
    done = target.startsWith('/') ? [] : done.slice(0, -1);
    rest = [...target.split('/'), ...rest];
  }
  return { path: done.join('/'), entry };
}
