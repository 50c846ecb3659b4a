import type { CommandSpec } from '../../src/commands/command.ts';
import { EVERYWHERE, OF_ONE_COMMAND } from '../../src/commands/options/configured-options.ts';
import { optionName } from '../../src/commands/parse.ts';
import { AS_IT_IS, LISTS, LISTS_INSTEAD } from '../../src/commands/request/configured-container.ts';
import { KEYS } from '../../src/config/containers-conf-keys.ts';
import { CONF_FILES, KEY_WORDS, STORAGE_KEYS, VARIABLES } from './conf-words.ts';
import { roff, sentence, titled } from './man.ts';

const KINDS: Readonly<Record<string, string>> = {
  text: 'a string',
  flag: 'true or false',
  number: 'a number',
  list: 'a list of strings',
};

/** tsman.conf(5): every key that applies, from the tables that the program reads. */
export function confPage(commands: readonly CommandSpec[]): string {
  const keys = Object.entries(KEYS);
  const ignored = keys.filter(([, kind]) => kind.startsWith('ignored: '));
  return titled(
    { name: 'tsman.conf', section: 5 },
    'the files and variables that configure tsman',
    '.SH DESCRIPTION',
    paragraph(
      'tsman has no file of its own. It reads those of Podman and the other containers tools, in the same places. Everything works without any of them.',
    ),
    '.SH FILES',
    paragraph(
      'Looked for in ~/.config/containers, /etc/containers and /usr/share/containers; the first found is read, the others are not.',
    ),
    ...CONF_FILES.map(([file, what]) => term(file, sentence(what))),
    term(
      'containers.conf.d, containers.rootless.conf.d, containers.rootless.conf.d/UID, containers.rootful.conf.d',
      "Drop-ins, *.conf, below all three (of users: containers.conf.d only). A later directory's file replaces one of the same name; then all are read sorted by name, on top of containers.conf. The same for storage.conf.",
    ),
    term(
      '$XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json, ~/.docker/config.json',
      'Credentials.',
    ),
    paragraph(
      'tsman info names the files that were read. What lies in them is TOML, but for the JSON ones and mounts.conf. In a list, {append=true} adds to what earlier files say.',
    ),
    ...['containers', 'engine', 'network'].flatMap((section) => [
      `.SH "CONTAINERS.CONF: [${section}]"`,
      ...keys
        .filter(([key, kind]) => key.startsWith(`${section}.`) && kind in KINDS)
        .map(([key, kind]) => term(key.slice(section.length + 1), describe(key, kind, commands))),
    ]),
    '.SH "STORAGE.CONF"',
    ...STORAGE_KEYS.map(([key, what]) => term(key, sentence(what))),
    '.SH "KEYS WITHOUT EFFECT"',
    paragraph('Known, and named with the reason by --log-level=info:'),
    ...ignored.map(([key, kind]) => term(key, sentence(kind.slice('ignored: '.length)))),
    '.SH ENVIRONMENT',
    ...VARIABLES.map(([names, what]) => term(names, sentence(what))),
    '.SH EXAMPLE',
    '.nf',
    roff(
      '[containers]\nenv = ["LANG=C.UTF-8"]\nvolumes = ["/srv/data:/data:ro"]\n\n[engine]\ndetach_keys = "ctrl-q"',
    ),
    '.fi',
    '.SH "SEE ALSO"',
    '.BR tsman (1),\n.BR containers.conf (5),\n.BR containers\\-storage.conf (5),\n.BR containers\\-registries.conf (5)',
  );
}

function term(words: string, text: string): string {
  return `.TP\n\\fB${roff(words)}\\fR\n${roff(text)}`;
}

function paragraph(text: string): string {
  return `.PP\n${roff(text)}`;
}

/** @throws when a key applies and nothing says what it decides */
function describe(key: string, kind: string, commands: readonly CommandSpec[]): string {
  const words = KEY_WORDS[key] ?? ofOption(key, commands);
  if (words === undefined) throw new Error(`conf-words.ts says nothing about ${key}`);
  return `${sentence(words)} ${sentence(KINDS[kind] ?? '')}`;
}

function ofOption(key: string, commands: readonly CommandSpec[]): string | undefined {
  const [command, only] = OF_ONE_COMMAND[key] ?? [];
  const option = { ...AS_IT_IS, ...LISTS, ...LISTS_INSTEAD, ...EVERYWHERE }[key] ?? only;
  if (option === undefined) return undefined;
  const owners = commands.filter(
    ({ options, paths }) => option in options && (command ?? paths[0]?.[0]) === paths[0]?.[0],
  );
  const owner = owners.find(({ paths }) => paths[0]?.[0] === 'run') ?? owners[0];
  const spec = owner?.options[option];
  if (spec === undefined) return undefined;
  const of = command === undefined ? '' : ` of ${command}`;
  const otherwise =
    spec.kind !== 'flag' && spec.defaultText !== undefined ? `; else ${spec.defaultText}` : '';
  return `the default of --${optionName(option)}${of}: ${spec.help}${otherwise}`;
}
