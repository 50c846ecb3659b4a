import { VERSION } from '../../src/base/version.ts';
import type { CommandSpec, OptionSpec } from '../../src/commands/command.ts';
import { optionName } from '../../src/commands/parse.ts';
import { CONF_FILES, VARIABLES } from './conf-words.ts';
import { shownOptions } from './generate.ts';

/** `tsman-image-inspect` */
export function pageName(command: CommandSpec): string {
  return ['tsman', ...(command.paths[0] ?? [])].join('-');
}

// man-pages(7): a minus that is typed is \-, a line must not begin with a dot or an apostrophe.
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

/** A page of man(7) up to its sections. */
export function titled(
  { name, section }: { readonly name: string; readonly section: number },
  summary: string,
  ...sections: readonly string[]
): string {
  const title = `.TH "${roff(name.toUpperCase())}" "${section}" "" "tsman ${VERSION}" "tsman"`;
  return `${[title, '.SH NAME', `${roff(name)} \\- ${roff(summary)}`, ...sections].join('\n')}\n`;
}

/** The page of one command, man(7). */
export function commandPage(command: CommandSpec): string {
  const synopsis = command.paths.map(
    (words) => `.B tsman ${roff(words.join(' '))}\n[\\fIOPTIONS\\fR] ${roff(command.usage)}`,
  );
  const options = shownOptions(command);
  return titled(
    { name: pageName(command), section: 1 },
    command.summary,
    '.SH SYNOPSIS',
    synopsis.map((line) => line.trimEnd()).join('\n.br\n'),
    ...(options.length > 0 ? ['.SH OPTIONS', ...options.map(optionParagraph)] : []),
    ...(command.examples.length > 0
      ? ['.SH EXAMPLES', ...command.examples.map(exampleParagraph)]
      : []),
    '.SH SEE ALSO',
    '.BR tsman (1)',
  );
}

function optionParagraph([key, spec]: [string, OptionSpec]): string {
  const short = spec.short === undefined ? '' : `\\fB\\-${spec.short}\\fR, `;
  const notes = [
    spec.kind === 'flag' && spec.default === true ? 'On unless said otherwise.' : '',
    spec.kind === 'list' ? 'May be given several times.' : '',
    spec.kind !== 'flag' && spec.choices !== undefined ? `One of ${spec.choices.join(', ')}.` : '',
    spec.kind !== 'flag' && spec.defaultText !== undefined ? `Default: ${spec.defaultText}.` : '',
    spec.kind === 'text' && spec.implied !== undefined ? `Without a value: ${spec.implied}.` : '',
  ].filter((note) => note !== '');
  const help = [`${sentence(spec.help)}`, ...notes].join(' ');
  return `.TP\n${short}\\fB\\-\\-${roff(optionName(key))}\\fR${roff(valuePart(spec))}\n${roff(help)}`;
}

function valuePart(spec: OptionSpec): string {
  if (spec.kind === 'flag') return '';
  return spec.kind === 'text' && spec.implied !== undefined ? `[=${spec.value}]` : `=${spec.value}`;
}

/** With a capital letter and a full stop. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function exampleParagraph([what, line]: readonly [string, string]): string {
  return `.PP\n${roff(sentence(what.replace(/[.:]$/, '')))}\n.PP\n.in +4\n.nf\n${roff(line)}\n.fi\n.in`;
}

/** tsman(1): what there is. */
export function overviewPage(commands: readonly CommandSpec[]): string {
  const categories = [...new Set(commands.map(({ category }) => category))];
  const list = categories.flatMap((category) => [
    `.SS ${category}`,
    ...commands
      .filter((command) => command.category === category)
      .map(
        (command) => `.TP\n.BR ${roff(pageName(command))} (1)\n${roff(sentence(command.summary))}`,
      ),
  ]);
  return titled(
    { name: 'tsman', section: 1 },
    'a rootless, daemonless container engine',
    '.SH SYNOPSIS',
    '.B tsman\n[\\fB\\-\\-root\\fR \\fIDIR\\fR] [\\fB\\-\\-runroot\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARG\\fR...]',
    '.SH DESCRIPTION',
    'Runs containers from Docker and OCI images, as an ordinary user and without a daemon. The commands and options are those of Docker and Podman.',
    '.SH OPTIONS',
    '.TP\n\\fB\\-\\-root\\fR=\\fIDIR\\fR\nWhere images and containers are kept.',
    '.TP\n\\fB\\-\\-runroot\\fR=\\fIDIR\\fR\nWhere the records of running containers are kept.',
    '.TP\n\\fB\\-\\-config\\fR=\\fIDIR\\fR\nThe directory of the config.json of Docker, for credentials.',
    '.TP\n\\fB\\-\\-module\\fR=\\fIFILE\\fR\nRead this file on top of containers.conf(5). May be given several times.',
    '.TP\n\\fB\\-\\-log\\-level\\fR=\\fILEVEL\\fR\ninfo also says which keys of containers.conf(5) are not used, debug which are unknown.',
    '.SH COMMANDS',
    ...list,
    '.SH ENVIRONMENT',
    ...VARIABLES.map(([names, what]) => `.TP\n.B ${roff(names)}\n${roff(sentence(what))}`),
    '.SH FILES',
    '.TP\n.I ~/.local/share/tsman\nImages and containers; of root: /var/lib/tsman.',
    '.TP\n.I $XDG_RUNTIME_DIR/tsman\nRunning containers; of root: /run/tsman.',
    ...CONF_FILES.map(([file, what]) => `.TP\n.I ${roff(file)}\n${roff(sentence(what))}`),
    '.PP\nThe latter in ~/.config/containers, /etc/containers and /usr/share/containers; see\n.BR tsman.conf (5).',
    '.SH EXIT STATUS',
    '125 when tsman failed, 126 when the command cannot be executed, 127 when it was not found, 128 plus N when signal N ended it, otherwise the exit status of the command in the container.',
  );
}
