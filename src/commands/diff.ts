import { UsageError } from '../base/error.ts';
import { type Change, diffContainer } from '../container/diff.ts';
import { defineCommand } from './command.ts';
import { existingContainer, existingContainers } from './selection.ts';

const GROUPS = { A: 'added', C: 'changed', D: 'deleted' } as const;

export const diffCommand = defineCommand({
  paths: [['diff'], ['container', 'diff']],
  category: 'Containers',
  summary: 'list the files a container added (A), changed (C) and deleted (D)',
  usage: 'CONTAINER',
  examples: [['What a build step left behind', 'tsman diff job']],
  options: {
    format: { kind: 'text', value: 'FORMAT', help: 'json', choices: ['json'] },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  },
  arguments: [0, 1],
  completes: 'containers',
  async run(options, [name], { openEngine, stdout }) {
    if (options.format !== undefined && options.format !== 'json')
      throw new UsageError(`option --format: ${JSON.stringify(options.format)} is not json`);
    const engine = openEngine();
    const latest = options.latest ? existingContainers(engine).at(-1) : undefined;
    if (latest === undefined && name === undefined)
      throw new UsageError('which container? Give a name or ID, or --latest');
    const container = latest ?? existingContainer(engine, name ?? '');
    const changes = await diffContainer(engine, container);
    stdout.write(options.format === 'json' ? asJson(changes) : asLines(changes));
    return 0;
  },
});

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
