import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The path of `tsman-helper`: `TSMAN_HELPER`, else beside our own executable, else (running from
 * source) in `bin/` of the checkout.
 */
export function helperPath(): string {
  const forced = process.env['TSMAN_HELPER'];
  if (forced !== undefined && forced !== '') return forced;
  const beside = join(dirname(process.execPath), 'tsman-helper');
  if (existsSync(beside)) return beside;
  return join(import.meta.dirname, '../../bin/tsman-helper');
}

/** The program that people start, beside the executable that this process is. */
export function launcherPath(): string {
  return join(dirname(process.execPath), 'tsman');
}

/** A file of the package that is not code: `TSMAN_SHARE`, else `../share` beside the executable's directory. */
export function sharePath(name: string): string {
  const forced = process.env['TSMAN_SHARE'];
  if (forced !== undefined && forced !== '') return join(forced, name);
  const beside = join(dirname(process.execPath), '../share', name);
  if (existsSync(beside)) return beside;
  return join(import.meta.dirname, '../../share', name);
}

/** Where a shell's completion may lie: with the package's files, or in a checkout. */
export function completionPaths(shell: string): string[] {
  const name = `completions/tsman.${shell}`;
  return [
    sharePath(name),
    join(dirname(process.execPath), '..', name),
    join(sharePath('..'), name),
  ];
}
