import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { TsmanError, UsageError } from '../../base/error.ts';

/** What may stand behind the second colon of `-v`; `upperdir=` and `workdir=` belong to `O`. */
const VOLUME_WORDS =
  ' ro rw z Z O U copy nocopy nosuid suid nodev dev noexec exec nocreate bind rbind' +
  ' shared rshared slave rslave private rprivate unbindable runbindable ';

/** Two words of one of these contradict each other. */
const OPPOSITES: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['z', 'Z'],
  ['copy', 'nocopy'],
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
  ['noexec', 'exec'],
  ['bind', 'rbind'],
  [
    ...['shared', 'rshared', 'slave', 'rslave'],
    ...['private', 'rprivate', 'unbindable', 'runbindable'],
  ],
];

export const PROPAGATIONS: readonly string[] = OPPOSITES.at(-1) ?? [];

/** Checks the options of a volume or bind mount. @throws UsageError, TsmanError */
export function checkMountWords(words: readonly string[], what: string): void {
  for (const word of words) {
    if (/^idmap(=|$)/.test(word)) throw idmapRefusal(what);
    const isOverlayDirectory = /^(upperdir|workdir)=\//.test(word) && words.includes('O');
    if ((word.includes(' ') || !VOLUME_WORDS.includes(` ${word} `)) && !isOverlayDirectory)
      throw new UsageError(`${what}: unknown mount option ${JSON.stringify(word)}`);
  }
  for (const group of OPPOSITES) {
    const both = group.filter((word) => words.includes(word));
    if (both.length > 1)
      throw new UsageError(`${what}: ${both[0]} and ${both[1]} exclude each other`);
  }
  checkOverlay(words, what);
}

function checkOverlay(words: readonly string[], what: string): void {
  const clash = ['ro', 'z', 'Z', 'U', 'nocreate'].find((word) => words.includes(word));
  if (words.includes('O') && clash !== undefined && clash !== 'U')
    throw new UsageError(`${what}: O and ${clash} exclude each other`);
  const count = words.filter((word) => /^(upperdir|workdir)=/.test(word)).length;
  if (count === 1) throw new UsageError(`${what}: upperdir= and workdir= go together`);
}

/** The kernel maps the ids of a mount only for those who own the file system itself. */
export function idmapRefusal(what: string): TsmanError {
  return new TsmanError(`${what}: idmap needs root on the host`, {
    hint: 'to see your own files as the user of the container: --userns keep-id; to give them to it: the option U',
  });
}

/** A path of the host, absolute. @throws TsmanError when nothing is there */
export function existingPath(source: string): string {
  const path = resolve(source);
  if (existsSync(path)) return path;
  throw new TsmanError(`bind mount ${path}: no such file or directory`, {
    hint: `create it first: mkdir -p ${path}`,
  });
}

/** An absolute path of the container. @throws UsageError */
export function containerPath(path: string, what: string): string {
  if (!path.startsWith('/'))
    throw new UsageError(`${what}: the container path ${JSON.stringify(path)} is not absolute`);
  const clean = resolve('/', path);
  if (clean === '/') throw new UsageError(`${what}: nothing can be mounted on /`);
  return clean;
}
