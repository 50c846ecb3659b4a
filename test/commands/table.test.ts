import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CommandSpec, OptionSpec } from '../../src/commands/command.ts';
import { optionName, parseArguments } from '../../src/commands/parse.ts';
import { allCommands } from '../../src/commands/table.ts';

const test = suite('command table');

function wordsOf(command: CommandSpec): string[] {
  return command.paths.map((path) => path.join(' ')).sort();
}

async function loadTable(): Promise<Map<CommandSpec, string[]>> {
  const byCommand = new Map<CommandSpec, string[]>();
  for (const { words, load } of allCommands()) {
    const command = await load();
    byCommand.set(command, [...(byCommand.get(command) ?? []), words.join(' ')]);
  }
  return byCommand;
}

async function exportedCommands(): Promise<[file: string, command: CommandSpec][]> {
  const found: [string, CommandSpec][] = [];
  for (const file of globSync('src/commands/**/*.ts')) {
    const module = (await import(resolve(file))) as Record<string, unknown>;
    const commands = Object.entries(module).filter(([name]) => name.endsWith('Command'));
    for (const [, command] of commands) {
      if (typeof command === 'object') found.push([file, command as CommandSpec]);
    }
  }
  return found;
}

/** Words of a command line; enough of a shell for our examples. */
function shellWords(text: string): string[] {
  return (text.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) =>
    word.replace(/['"]/g, ''),
  );
}

function visibleOptions(command: CommandSpec): [key: string, spec: OptionSpec][] {
  return Object.entries(command.options).filter(([, spec]) => spec.hidden !== true);
}

test('has exactly the words that each module declares', async () => {
  for (const [command, words] of await loadTable()) assert.equal(words.sort(), wordsOf(command));
});

test('has every command there is a module for', async () => {
  const table = await loadTable();
  const missing = (await exportedCommands()).filter(([, command]) => !table.has(command));

  assert.equal(
    missing.map(([file]) => file),
    [],
  );
});

test('gives no words to two commands', () => {
  const words = allCommands().map((entry) => entry.words.join(' '));

  assert.is(new Set(words).size, words.length);
});

test('describes each command in a line that starts small and has no full stop', async () => {
  for (const [command] of await loadTable()) {
    assert.match(command.summary, /^[^A-Z\n][^\n]*[^.\n]$/, wordsOf(command).join());
    assert.ok(command.arguments[0] <= command.arguments[1]);
  }
});

test('has options with a help, a letter of their own and a name for their value', async () => {
  for (const [command] of await loadTable()) {
    const name = command.paths[0]?.join(' ');
    const letters = Object.values(command.options).flatMap(({ short }) => short ?? []);
    assert.is(new Set(letters).size, letters.length, `${name}: a letter is used twice`);
    assert.ok(
      letters.every((letter) => letter.length === 1),
      `${name}: short options have one letter`,
    );
    for (const [key, spec] of visibleOptions(command)) {
      assert.match(key, /^[a-z][A-Za-z0-9]*$/, `${name} ${key}`);
      assert.match(spec.help, /^[^\n]*[^.\n]$/, `${name} --${optionName(key)}: help`);
      if (spec.kind !== 'flag')
        assert.match(spec.value, /^[^\s].*$/, `${name} --${optionName(key)}`);
    }
  }
});

test('shows two or three examples of each command, each about something else', async () => {
  for (const [command] of await loadTable()) {
    const name = command.paths[0]?.join(' ');
    const { length } = command.examples;
    assert.ok(length >= 2, `tsman ${name} has ${length} examples`);
    assert.is(new Set(command.examples.map(([, line]) => line)).size, length, `tsman ${name}`);
  }
});

test('has examples that parse', async () => {
  for (const [command] of await loadTable()) {
    for (const [, line] of command.examples) {
      // Of a pipe, the part that is this command.
      const parts = line.match(/tsman [^<>|&]*/g) ?? [];
      const [words, part] = command.paths
        .flatMap((path) => parts.map((text) => [path, shellWords(text).slice(1)] as const))
        .find(([path, typed]) => path.every((word, i) => typed[i] === word)) ?? [[], undefined];
      assert.ok(part, `an example of ${command.paths[0]?.join(' ')} shows something else: ${line}`);
      const argv = part?.slice(words.length) ?? [];
      assert.not.throws(() => parseArguments(command, argv), line);
    }
  }
});

test.run();
