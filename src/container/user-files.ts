import * as fs from 'node:fs';
import { type Account, hostUserLine } from './host-account.ts';

/** What `--passwd` and its like ask for. */
export interface UserFilesRequest {
  readonly addMissing: boolean;
  readonly passwdEntry: string | undefined;
  readonly groupEntry: string | undefined;
  readonly hostUsers: readonly string[];
  /** With keep-id, whom the container's user is on the host. */
  readonly caller?: Account | undefined;
}

export interface UserFiles {
  /** The whole new content of /etc/passwd and /etc/group; undefined = the image's stays. */
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

const MOST_BYTES = 1 << 20;

/**
 * The lines that a numeric `--user`, and the caller with keep-id, get where the image has none for them,
 * so that programs find a name and a home, as Podman adds them. The files are bound over the image's,
 * which stay as they are.
 * @param layers directories, uppermost first
 */
export function userFiles(
  layers: readonly string[],
  user: string,
  workdir: string,
  request: UserFilesRequest,
): UserFiles {
  const wanted = request.addMissing ? [request.caller, numericAccount(user, workdir)] : [];
  const accounts = wanted.filter((account) => account !== undefined);
  if (request.hostUsers.length === 0 && accounts.length === 0)
    return { passwd: undefined, group: undefined };
  const oldPasswd = imageFile(layers, 'etc/passwd') ?? '';
  const oldGroup = imageFile(layers, 'etc/group') ?? '';
  const passwd = request.hostUsers.map(hostUserLine);
  const groups: string[] = [];
  for (const account of accounts) {
    if (hasEntry([oldPasswd, ...passwd], account.uid, account.name)) continue;
    passwd.push(passwdLine(account, request.passwdEntry));
    if (account.gid !== '0' && !hasEntry([oldGroup, ...groups], account.gid, account.group))
      groups.push(groupLine(account, request.groupEntry));
  }
  return { passwd: appended(oldPasswd, passwd), group: appended(oldGroup, groups) };
}

/** What `--user 1000` or `1000:1000` is called; undefined for a name, which must be in the image, and for root. */
function numericAccount(user: string, home: string): Account | undefined {
  const [uid = '', group = ''] = user.split(':');
  if (!/^\d+$/.test(uid) || Number(uid) === 0) return undefined;
  const gid = /^\d+$/.test(group) ? group : '0';
  return { name: uid, uid, gid, group: gid, comment: 'container user', home };
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

function hasEntry(texts: readonly string[], id: string, name: string): boolean {
  const entries = texts.flatMap((text) => text.split('\n')).map((line) => line.split(':'));
  return entries.some((fields) => fields[2] === id || fields[0] === name);
}

function appended(old: string, lines: readonly string[]): string | undefined {
  if (lines.length === 0) return undefined;
  const start = old === '' || old.endsWith('\n') ? old : `${old}\n`;
  return `${start}${lines.join('\n')}\n`;
}

function passwdLine({ name, uid, gid, comment, home }: Account, entry: string | undefined): string {
  const template = entry ?? '$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh';
  return fill(template, { USERNAME: name, UID: uid, GID: gid, NAME: comment, HOME: home });
}

function groupLine({ name, gid, group }: Account, entry: string | undefined): string {
  const template = entry ?? '$GROUPNAME:x:$GID:$USERLIST';
  return fill(template, { GROUPNAME: group, GID: gid, USERLIST: name });
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  const text = template.replace(/\$\{?([A-Z]+)\}?/g, (whole, name) => values[name] ?? whole);
  return text.replace(/[\r\n]+/g, ' ');
}
