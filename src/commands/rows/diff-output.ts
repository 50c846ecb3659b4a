import { UsageError } from '../../base/error.ts';
import type { Change } from '../../container/files/diff.ts';
import type { Output } from '../../output/output.ts';

const GROUPS = { A: 'added', C: 'changed', D: 'deleted' } as const;

/** Prints what `diff` found, a line for each path or as JSON. */
export function printChanges(
  changes: readonly Change[],
  format: string | undefined,
  stdout: Output,
): void {
  if (format !== undefined && format !== 'json')
    throw new UsageError(`option --format: ${JSON.stringify(format)} is not json`);
  stdout.write(format === 'json' ? asJson(changes) : asLines(changes));
}

function asLines(changes: readonly Change[]): string {
  return changes.map(({ kind, path }) => `${kind} ${onOneLine(path)}\n`).join('');
}

/** A file's name must not fake a line. */
function onOneLine(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
  return path.replace(/[\u0000-\u001f\u007f]/g, '?');
}

/** Podman's shape: the paths by what happened to them. */
function asJson(changes: readonly Change[]): string {
  const groups: Record<string, string[]> = {};
  for (const { kind, path } of changes) {
    const name = GROUPS[kind];
    groups[name] = [...(groups[name] ?? []), path];
  }
  return `${JSON.stringify(groups, undefined, 4)}\n`;
}
