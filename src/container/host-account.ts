import { TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { homeDirectory } from '../base/home.ts';
import { ownUserName } from '../base/own-user.ts';

/** A line of /etc/passwd, passwd(5), and the name of its group. */
export interface Account {
  readonly name: string;
  readonly uid: string;
  readonly gid: string;
  readonly group: string;
  readonly comment: string;
  readonly home: string;
}

/** Whom this process runs as; undefined when the host has no name for him. @param home in the container */
export function callerAccount(home: (onHost: string) => string): Account | undefined {
  const name = ownUserName();
  const [uid, gid] = [String(process.geteuid?.()), String(process.getegid?.())];
  if (name === uid) return undefined;
  const group = linesOf('/etc/group').find((fields) => fields[2] === gid)?.[0] ?? gid;
  const comment = linesOf('/etc/passwd').find((fields) => fields[0] === name)?.[4] ?? '';
  return { name, uid, gid, group, comment, home: home(homeDirectory()) };
}

/** The line of `--hostuser NAME` for the container's /etc/passwd. @throws TsmanError */
export function hostUserLine(name: string): string {
  const line = linesOf('/etc/passwd').find((fields) => fields[0] === name || fields[2] === name);
  if (line === undefined && ownUserName() === name) {
    const ids = [process.geteuid?.(), process.getegid?.()].join(':');
    return `${name}:*:${ids}:${name}:${homeDirectory()}:/bin/sh`;
  }
  if (line === undefined)
    throw new TsmanError(`option --hostuser: no user ${JSON.stringify(name)} on this host`);
  const [user, , uid, gid, comment, home] = line;
  return [user, '*', uid, gid, comment, home, '/bin/sh'].join(':');
}

function linesOf(path: string): string[][] {
  return (readIfExists(path) ?? '').split('\n').map((line) => line.split(':'));
}
