import { globSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VARIABLES } from '../scripts/docs-from-commands/conf-words.ts';
import { generateDocs } from '../scripts/docs-from-commands/generate.ts';
import { commandPage } from '../scripts/docs-from-commands/man.ts';
import { defineCommand } from '../src/commands/command.ts';
import { KEYS } from '../src/config/containers-conf-keys.ts';

const test = suite('generated documents');

const sample = defineCommand({
  paths: [['remove'], ['image', 'remove']],
  category: 'Images',
  summary: "remove an image's names",
  usage: 'IMAGE...',
  examples: [['Everything', '.tsman remove --all']],
  options: {
    detachKeys: { kind: 'text', value: 'KEYS', help: "the sequence's keys [a:b]" },
    force: { kind: 'flag', short: 'f', help: 'even when used' },
    pull: { kind: 'text', value: 'WHEN', help: 'pull first', choices: ['always', 'never'] },
    secret: { kind: 'flag', help: 'not for everybody', hidden: true },
  },
  arguments: [1, 9],
  completes: 'images',
  run: () => 0,
});
test('are the ones in the repository (else run `npm run docs`)', async () => {
  const docs = await generateDocs();
  const stale = [...docs].filter(
    ([path, text]) => !globSync(path).includes(path) || readFileSync(path, 'utf8') !== text,
  );
  const orphans = globSync('{man/*.[15],completions/tsman.*}').filter((path) => !docs.has(path));

  assert.equal([...stale.map(([path]) => path), ...orphans], []);
});

test('name every variable that the program reads', () => {
  const source = globSync('src/**/*.ts').map((path) => readFileSync(path, 'utf8'));
  const read = source.flatMap((text) => [...text.matchAll(/env(?:\?\.)?\[['"]([A-Z_]+)['"]\]/g)]);
  const named = new Set(VARIABLES.flatMap(([names]) => names.split(', ')));
  const missing = read
    .map(([, name = '']) => name)
    .filter((name) => !['HOME', 'PATH', 'SHELL', 'USER'].includes(name) && !named.has(name));

  assert.ok(read.length > 20);
  assert.equal(missing, []);
});

test('list in docs/configuration.md the keys that apply', () => {
  const page = readFileSync('docs/configuration.md', 'utf8');
  for (const section of ['containers', 'engine', 'network']) {
    const row = page.match(new RegExp(`^\\| \`\\[${section}\\]\` \\| (.*) \\|$`, 'm'))?.[1];
    const keys = Object.entries(KEYS)
      .filter(([key, kind]) => key.startsWith(`${section}.`) && !kind.startsWith('ignored'))
      .map(([key]) => key.slice(section.length + 1));
    assert.equal(row?.split(', '), keys.sort());
  }
});

test('escape what man(7) would take for markup', () => {
  const page = commandPage(sample);

  assert.match(page, /^\\&\.tsman remove \\-\\-all$/m);
  assert.match(page, /^\.B tsman image remove$/m);
  assert.not.match(page, /secret/);
});

test.run();
