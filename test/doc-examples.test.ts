import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeGlobalOptions } from '../src/commands/global-options.ts';
import { parseArguments } from '../src/commands/parse.ts';
import { allCommands, findCommand } from '../src/commands/table.ts';
import { docExamples, type Example } from './support/doc-examples.ts';

const test = suite('examples');

/** The words of each `tsman …` in a line of shell: in single and double quotes, up to |, &&, >, ; or #. */
function commandLines(line: string): string[][] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"|&;><()]+)+|&&|\|\||[|&;><()]/g) ?? [];
  const found: string[][] = [];
  let current: string[] | undefined;
  for (const word of words) {
    if (/^(?:&&|\|\||[|&;><()])$/.test(word) || word.startsWith('#')) current = undefined;
    else if (current !== undefined) current.push(word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
    else if (word === 'tsman' || word === 'bin/tsman') {
      current = [];
      found.push(current);
    }
  }
  return found;
}

/** @throws when tsman would not understand the words */
async function parse(words: readonly string[]): Promise<void> {
  const { rest } = takeGlobalOptions(words);
  const entry = findCommand(rest);
  if (entry === undefined) throw new Error(`no command ${rest.join(' ')}`);
  parseArguments(await entry.load(), rest.slice(entry.words.length));
}

async function mistakes(examples: readonly Example[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { where, line } of examples) {
    for (const words of commandLines(line))
      await parse(words).catch((error: Error) =>
        wrong.push(`${where}: ${line.trim()}: ${error.message}`),
      );
  }
  return wrong;
}

test('in README.md and docs/ are command lines that tsman understands', async () => {
  const examples = docExamples();

  assert.ok(examples.length > 20, `only ${examples.length} found`);
  assert.equal(await mistakes(examples), []);
});

test('in the help of each command are command lines that tsman understands', async () => {
  const commands = new Set(await Promise.all(allCommands().map(({ load }) => load())));
  const examples = [...commands].flatMap((command) =>
    command.examples.map(([, line]) => ({ where: `${command.paths[0]?.join(' ')}`, line })),
  );

  assert.ok(examples.length > 40);
  assert.equal(await mistakes(examples), []);
});

test.run();
