import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bashCompletion } from '../scripts/docs-from-commands/bash.ts';
import { VARIABLES } from '../scripts/docs-from-commands/conf-words.ts';
import { fishCompletion } from '../scripts/docs-from-commands/fish.ts';
import { type Entry, generateDocs } from '../scripts/docs-from-commands/generate.ts';
import { commandPage } from '../scripts/docs-from-commands/man.ts';
import { zshCompletion } from '../scripts/docs-from-commands/zsh.ts';
import { defineCommand } from '../src/commands/command.ts';
import { KEYS } from '../src/config/containers-conf-keys.ts';
import { requires } from './support/requires.ts';
import { withScratch } from './support/scratch.ts';

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
const entries: Entry[] = sample.paths.map((words) => ({ words, command: sample }));

/** What a shell offers for the last of these words; `tsman` itself is answered by a function. */
function completeInBash(...words: string[]): string[] {
  const script = `${bashCompletion(entries)}
    tsman() { [[ $1 = images ]] && echo debian:bookworm hello:latest; }
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tsman; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-uc', script, 'bash', 'tsman', ...words], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  assert.is(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

function completeInFish(line: string): string[] {
  const script = `${fishCompletion(entries)}
    function tsman; echo debian:bookworm; end
    complete -C '${line}'`;
  const { stdout } = spawnSync('fish', ['--no-config', '-c', script], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return stdout
    .split('\n')
    .map((offer) => offer.split('\t')[0] ?? '')
    .filter((word) => word !== '');
}

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

test('complete words, options, choices and live names in bash', () => {
  assert.equal(completeInBash(''), ['remove', 'image']);
  assert.equal(completeInBash('--root', '/x', 'im'), ['image']);
  assert.equal(completeInBash('image', ''), ['remove']);
  assert.equal(completeInBash('image', 'remove', '--'), [
    '--detach-keys',
    '--force',
    '--pull',
    '--help',
  ]);
  assert.equal(completeInBash('remove', '--pull', 'n'), ['never']);
  assert.equal(completeInBash('remove', '--force', 'deb'), ['debian:bookworm']);
});

requires(test, 'fish')('complete the same in fish', () => {
  assert.equal(completeInFish('tsman im'), ['image']);
  assert.equal(completeInFish('tsman image '), ['remove']);
  assert.equal(completeInFish('tsman remove --f'), ['--force']);
  assert.equal(completeInFish('tsman remove --pull n'), ['never']);
  assert.equal(completeInFish('tsman remove deb'), ['debian:bookworm']);
});

requires(test, 'zsh')('are a function that zsh takes', () =>
  withScratch((_tsman, scratch) => {
    const file = join(scratch.directory, '_tsman');
    writeFileSync(file, zshCompletion(entries));
    const { stderr, status } = spawnSync('zsh', ['-fn', file], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    rmSync(file);
    assert.equal([status, stderr], [0, '']);
  }),
);

test('escape what man(7) would take for markup', () => {
  const page = commandPage(sample);

  assert.match(page, /^\\&\.tsman remove \\-\\-all$/m);
  assert.match(page, /^\.B tsman image remove$/m);
  assert.not.match(page, /secret/);
});

test.run();
