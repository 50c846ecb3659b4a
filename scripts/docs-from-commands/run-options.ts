import { optionName } from '../../src/commands/parse.ts';
import { runCommand } from '../../src/commands/run.ts';

const HEAD = `# Options of run and create

Every option of \`podman run\` and \`docker run\`: it works, or it is refused with exit code 125 and
this reason. None is passed over in silence. Made by \`npm run docs\` from the parser's own table;
\`test/commands/run-options.test.ts\` holds it against the options that exist.

\`create\` has the same, less \`--attach\`, \`--detach\`, \`--detach-keys\` and \`--sig-proxy\`.

| option | | what it does, or why it is refused |
| --- | --- | --- |
`;

/** docs/run-options.md. Hidden options that work (other spellings, accepted no-ops) are in it too. */
export function runOptionsPage(): string {
  const rows = Object.entries(runCommand.options).map(([key, spec]) => {
    const how = 'refusedBecause' in spec ? 'refused' : 'works';
    const note = 'refusedBecause' in spec ? String(spec.refusedBecause) : spec.help;
    return `| \`--${optionName(key)}\` | ${how} | ${note.replaceAll('|', '\\|')} |`;
  });
  const help = '| `--help` | works | show the options |';
  return `${HEAD}${[...rows, help].sort().join('\n')}\n`;
}
