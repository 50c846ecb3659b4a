import * as fs from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { homeDirectory } from '../base/home.ts';

/** Where tsman keeps things; see docs/architecture.md, "On disk". */
export interface Directories {
  /** Persistent: images, layers, containers, the database. */
  readonly dataRoot: string;
  /** Cleared at reboot: process records, sockets, plans. */
  readonly runRoot: string;
}

/** What the user chose; absent: not chosen. */
export interface ChosenDirectories {
  readonly root?: string | undefined;
  readonly runRoot?: string | undefined;
  /** From storage.conf: after the environment, before the built-in places. */
  readonly configured?:
    | {
        readonly dataRoot?: string;
        readonly runRoot?: string;
        readonly driver?: string;
        readonly userns?: string;
      }
    | undefined;
}

/** Finds the two roots. Options win over TSMAN_ROOT/TSMAN_RUNROOT over storage.conf over XDG over built-ins. */
export function findDirectories({ root, runRoot, configured }: ChosenDirectories): Directories {
  const env = process.env;
  return {
    dataRoot: root ?? env['TSMAN_ROOT'] ?? configured?.dataRoot ?? defaultDataRoot(),
    runRoot: runRoot ?? env['TSMAN_RUNROOT'] ?? configured?.runRoot ?? defaultRunRoot(),
  };
}

/** Finds, and makes, the two roots. */
export function openDirectories(options: ChosenDirectories = {}): Directories {
  const directories = findDirectories(options);
  makePrivate(directories.dataRoot);
  makePrivate(directories.runRoot);
  return directories;
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function defaultDataRoot(): string {
  if (isRoot()) return '/var/lib/tsman';
  const data = process.env['XDG_DATA_HOME'];
  return join(data?.startsWith('/') ? data : join(homeDirectory(), '.local/share'), 'tsman');
}

/**
 * `$XDG_RUNTIME_DIR/tsman`, else `/run/user/<uid>/tsman` when that directory is ours, else
 * `/tmp/tsman-run-<uid>`: `su`, cron and CI have no session and must work all the same.
 */
function defaultRunRoot(): string {
  if (isRoot()) return '/run/tsman';
  const uid = process.geteuid?.() ?? 0;
  const xdg = process.env['XDG_RUNTIME_DIR'];
  if (xdg?.startsWith('/') && ownedByUs(xdg)) return join(xdg, 'tsman');
  const byUid = `/run/user/${uid}`;
  if (ownedByUs(byUid)) return join(byUid, 'tsman');
  return `/tmp/tsman-run-${uid}`;
}

function ownedByUs(path: string): boolean {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === process.geteuid?.();
}

function makePrivate(path: string): void {
  // The common case, one system call; everything else is first use or trouble.
  if (ownedByUs(path)) return;
  try {
    fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new TsmanError(`create ${path}`, {
      cause,
      hint: 'choose other places with --root and --runroot, or TSMAN_ROOT and TSMAN_RUNROOT',
    });
  }
  // In /tmp somebody else may have made it first, and would own our sockets.
  if (!ownedByUs(path))
    throw new TsmanError(`${path} belongs to another user`, {
      hint: 'remove it, or set XDG_RUNTIME_DIR or TSMAN_RUNROOT to a directory of your own',
    });
}
