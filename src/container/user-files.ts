import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { homeDirectory } from '../base/home.ts';
import { ownUserName } from '../base/own-user.ts';

/** What `--passwd` and its like ask for. */
export interface UserFilesRequest {
  readonly addMissing: boolean;
  readonly passwdEntry: string | undefined;
  readonly groupEntry: string | undefined;
  readonly hostUsers: readonly string[];
}

export interface UserFiles {
  /** The whole new content of /etc/passwd and /etc/group; undefined = the image's stays. */
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

const MOST_BYTES = 1 << 20;

/**
 * The lines that a numeric `--user` without an entry gets, so that programs find a name and a home
 * for it, as Podman adds them. The files are bound over the image's, which stay as they are.
 * @param layers directories, uppermost first
 */
export function userFiles(
  layers: readonly string[],
  user: string,
  workdir: string,
  request: UserFilesRequest,
): UserFiles {
  const [owner = '', group = ''] = user.split(':');
  const isNumber = /^\d+$/.test(owner) && Number(owner) !== 0;
  if (request.hostUsers.length === 0 && !(request.addMissing && isNumber))
    return { passwd: undefined, group: undefined };
  const oldPasswd = imageFile(layers, 'etc/passwd') ?? '';
  const oldGroup = imageFile(layers, 'etc/group') ?? '';
  const passwd = request.hostUsers.map(hostUserLine);
  const groups: string[] = [];
  if (
    request.addMissing &&
    isNumber &&
    !hasID(oldPasswd, owner) &&
    !hasID(passwd.join('\n'), owner)
  ) {
    const gid = /^\d+$/.test(group) ? group : '0';
    passwd.push(passwdLine(owner, gid, workdir, request.passwdEntry));
    if (gid !== '0' && !hasID(oldGroup, gid))
      groups.push(groupLine(gid, owner, request.groupEntry));
  }
  return { passwd: appended(oldPasswd, passwd), group: appended(oldGroup, groups) };
}

/** A file of the image, when it is a plain one that we may read; links could lead to the host's. */
export function imageFile(layers: readonly string[], path: string): string | undefined {
  for (const layer of layers) {
    const parts = path.split('/');
    const parent = fs.lstatSync(`${layer}/${parts[0]}`, { throwIfNoEntry: false });
    if (parent !== undefined && !parent.isDirectory()) return undefined;
    const stat = fs.lstatSync(`${layer}/${path}`, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    // Not a file: a whiteout, or something we do not follow.
    if (!stat.isFile() || stat.size > MOST_BYTES) return undefined;
    return readable(`${layer}/${path}`);
  }
  return undefined;
}

const NOBODY = 65534;

/** How many ids the users and groups of an image need; nobody is not counted, as in containers/storage. */
export function imageIDs(layers: readonly string[]): number {
  const ids = ['etc/passwd', 'etc/group'].flatMap((file) =>
    (imageFile(layers, file) ?? '').split('\n').flatMap((line) => {
      const fields = line.split(':');
      return file === 'etc/passwd' ? [fields[2], fields[3]] : [fields[2]];
    }),
  );
  const known = ids.filter((id): id is string => /^\d{1,5}$/.test(id ?? '')).map(Number);
  return known.filter((id) => id < NOBODY).reduce((most, id) => Math.max(most, id + 1), 0);
}

function readable(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    // Only its owner in the container may read it: then we add nothing.
    return undefined;
  }
}

function hasID(text: string, id: string): boolean {
  return text.split('\n').some((line) => line.split(':')[2] === id);
}

function appended(old: string, lines: readonly string[]): string | undefined {
  if (lines.length === 0) return undefined;
  const start = old === '' || old.endsWith('\n') ? old : `${old}\n`;
  return `${start}${lines.join('\n')}\n`;
}

function passwdLine(uid: string, gid: string, home: string, entry: string | undefined): string {
  const template = entry ?? '$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh';
  const values = { USERNAME: uid, UID: uid, GID: gid, NAME: 'container user', HOME: home };
  return fill(template, values);
}

function groupLine(gid: string, user: string, entry: string | undefined): string {
  const template = entry ?? '$GROUPNAME:x:$GID:$USERLIST';
  return fill(template, { GROUPNAME: gid, GID: gid, USERLIST: user });
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  const text = template.replace(/\$\{?([A-Z]+)\}?/g, (whole, name) => values[name] ?? whole);
  return text.replace(/[\r\n]+/g, ' ');
}

function hostUserLine(name: string): string {
  const line = (readIfExists('/etc/passwd') ?? '')
    .split('\n')
    .find((candidate) => candidate.split(':')[0] === name || candidate.split(':')[2] === name);
  if (line === undefined && ownUserName() === name) {
    const ids = [process.geteuid?.(), process.getegid?.()].join(':');
    return `${name}:*:${ids}:${name}:${homeDirectory()}:/bin/sh`;
  }
  if (line === undefined)
    throw new TsmanError(`option --hostuser: no user ${JSON.stringify(name)} on this host`);
  const [user, , uid, gid, comment, home] = line.split(':');
  return [user, '*', uid, gid, comment, home, '/bin/sh'].join(':');
}
