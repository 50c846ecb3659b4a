import { UsageError } from '../base/error.ts';
import type { Output } from '../output/output.ts';
import { absentCommand } from './absent.ts';
import type { CommandSpec, OptionSpec, OptionSpecs } from './command.ts';
import { groupOptions } from './options/option-groups.ts';
import { nearest, optionName } from './parse.ts';
import { allCommands, findCommand } from './table.ts';

/** The text of `tsman COMMAND --help`. */
export function commandHelp(command: CommandSpec<OptionSpecs>, words: readonly string[]): string {
  const name = `tsman ${words.join(' ')}`;
  const lines = [
    `${name}: ${command.summary}`,
    '',
    `Usage: ${name} [OPTIONS] ${command.usage}`.trimEnd(),
    '',
  ];
  const others = command.paths
    .map((path) => path.join(' '))
    .filter((path) => path !== words.join(' '));
  if (others.length > 0)
    lines.push(`Also: ${others.map((path) => `tsman ${path}`).join(', ')}`, '');
  const options = Object.entries(command.options).filter(([, spec]) => spec.hidden !== true);
  for (const [heading, group] of groupOptions(options))
    if (group.length > 0) lines.push(`${heading}:`, ...group.map(optionLine), '');
  if (command.examples.length > 0) {
    lines.push(
      'Examples:',
      ...command.examples.flatMap(([what, line]) => [`  # ${what}`, `  ${line}`]),
      '',
    );
  }
  return lines.join('\n');
}

function optionLine([key, spec]: [string, OptionSpec]): string {
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
  const value =
    spec.kind === 'flag'
      ? ''
      : spec.kind === 'text' && spec.implied !== undefined
        ? `[=${spec.value}]`
        : ` ${spec.value}`;
  const left = `  ${short}--${optionName(key)}${value}`;
  const gap = left.length < 34 ? left.padEnd(34) : `${left}\n${' '.repeat(34)}`;
  return `${gap}${spec.help}${notes(spec)}`;
}

/** ` (one of a, b; default a)` */
function notes(spec: OptionSpec): string {
  const isOn = spec.kind === 'flag' && spec.default === true;
  const parts =
    spec.kind === 'flag'
      ? [...(isOn ? ['default true'] : [])]
      : [
          ...(spec.choices === undefined ? [] : [spec.choices.join(', ')]),
          ...(spec.defaultText === undefined ? [] : [`default ${spec.defaultText}`]),
        ];
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}

/** `tsman`, `tsman --help`, `tsman help run`, `tsman image`, or a word that is no command. */
export async function answerUnknown(argv: readonly string[], stdout: Output): Promise<number> {
  const words = argv.filter((word) => !word.startsWith('-'));
  const wantsHelp =
    argv.length === 0 || argv.includes('--help') || argv.includes('-h') || argv[0] === 'help';
  const group = wantsHelp && argv[0] === 'help' ? words.slice(1) : words;
  const named = wantsHelp ? findCommand(group) : undefined;
  if (named !== undefined) {
    stdout.write(commandHelp(await named.load(), named.words));
    return 0;
  }
  const inGroup = allCommands().filter((entry) =>
    group.every((word, i) => entry.words[i] === word),
  );
  if ((wantsHelp || group.length > 0) && inGroup.length > 0) {
    stdout.write(await overview(group));
    return 0;
  }
  const absent = absentCommand(group);
  if (absent !== undefined)
    throw new UsageError(`tsman has no command ${absent.command}: ${absent.because}`);
  const typed = group.join(' ') || (argv[0] ?? '');
  const near = nearest(
    typed,
    allCommands().map((entry) => entry.words.join(' ')),
  );
  throw new UsageError(`unknown command ${JSON.stringify(typed)}`, {
    hint: near === undefined ? 'see tsman --help' : `did you mean tsman ${near}?`,
  });
}

async function overview(group: readonly string[]): Promise<string> {
  const entries = allCommands().filter((entry) =>
    group.every((word, i) => entry.words[i] === word),
  );
  const seen = new Set<CommandSpec<OptionSpecs>>();
  const byCategory = new Map<string, string[]>();
  for (const entry of entries) {
    const command = await entry.load();
    if (seen.has(command)) continue;
    seen.add(command);
    const lines = byCategory.get(command.category) ?? [];
    lines.push(`  ${entry.words.join(' ').padEnd(20)}${command.summary}`);
    byCategory.set(command.category, lines);
  }
  const parts = [`Usage: tsman ${[...group, 'COMMAND'].join(' ')} [OPTIONS] [ARG...]`, ''];
  for (const [category, lines] of byCategory) parts.push(`${category}:`, ...lines, '');
  parts.push(
    'Options before the command: --root DIR, --runroot DIR, --log-level LEVEL, --config DIR, --module FILE, --version',
    'See tsman COMMAND --help for one command.',
    '',
  );
  return parts.join('\n');
}
