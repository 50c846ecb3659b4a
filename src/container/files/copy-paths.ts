import { TsmanError } from '../../base/error.ts';
import { isDirectory, type Resolved } from '../root/inside-path.ts';

/** Where a copy goes: files get the name `name` in the directory `parent`; '' = they go into it as they are. */
export interface CopyPlace {
  readonly parent: string;
  readonly name: string;
  /** The directory that is there already is filled, its own owner and mode stay. */
  readonly merges: boolean;
}

/** `dir/.` means what is in the directory. */
export function meansContent(typed: string): boolean {
  return typed === '.' || typed.endsWith('/.');
}

/** The last component of what was typed, through links in the source or not. */
export function typedName(typed: string, resolved: Resolved): string {
  const words = typed.split('/').filter((word) => word !== '' && word !== '.' && word !== '..');
  const name = Buffer.from(words.at(-1) ?? '').toString('latin1');
  return name !== '' ? name : resolved.path.slice(resolved.path.lastIndexOf('/') + 1);
}

/**
 * Docker's rules (docker container cp): into a directory that exists, else under the new name; the
 * parent must exist; a trailing slash asks for a directory.
 * @throws TsmanError
 */
export function placeCopy(
  source: { readonly typed: string; readonly isDirectory: boolean; readonly name: string },
  destination: { readonly typed: string; readonly at: Resolved; readonly parentExists: boolean },
): CopyPlace {
  const { typed, at } = destination;
  if (isDirectory(at.entry)) {
    const merges = source.isDirectory && (meansContent(source.typed) || source.name === '');
    return merges
      ? { parent: at.path, name: '', merges: true }
      : { parent: at.path, name: source.name, merges: false };
  }
  const asksForDirectory = /\/\.?$/.test(typed);
  if (at.entry !== undefined) {
    if (source.isDirectory || asksForDirectory)
      throw new TsmanError(`copy to ${typed}: it is not a directory`);
  } else if (!destination.parentExists || (asksForDirectory && !source.isDirectory))
    throw new TsmanError(`copy to ${typed}: no such directory`, {
      hint: 'cp makes no directories but the one it copies: create it first',
    });
  const slash = at.path.lastIndexOf('/');
  return {
    parent: at.path.slice(0, Math.max(slash, 0)),
    name: at.path.slice(slash + 1),
    merges: false,
  };
}
