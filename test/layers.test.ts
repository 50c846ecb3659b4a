import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('import directions');

/** The rows under a heading of docs/architecture.md, lowest first: which row each room stands on. */
function readRows(): Map<string, number> {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const block = /## Which way imports flow\n\n((?: {4}.*\n)+)/.exec(text)?.[1] ?? '';
  const lines = block.trimEnd().split('\n');
  return new Map(
    lines.flatMap((line, row) => words(line).map((room): [string, number] => [room, row])),
  );
}

// What stands in parentheses is explanation.
function words(line: string): string[] {
  return line.replace(/\(.*$/, '').trim().split(/\s+/);
}

function roomOf(file: string): string {
  const [, first = '', second] = file.split('/');
  return second === undefined ? 'main.ts' : first;
}

interface Import {
  readonly from: string;
  readonly to: string;
}

function readImports(): Import[] {
  return globSync('src/**/*.ts').flatMap((from) => {
    const source = readFileSync(from, 'utf8');
    const targets = source.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']*)'/g);
    return [...targets].map(([, path = '']) => ({
      from,
      to: normalize(join(dirname(from), path)),
    }));
  });
}

test('never point up, nor sideways between rooms of a row', () => {
  const rows = readRows();
  const row = (file: string): number => {
    const found = rows.get(roomOf(file));
    if (found === undefined)
      throw new Error(`${file}: its room is in no row of docs/architecture.md`);
    return found;
  };
  const wrong = readImports().filter(
    ({ from, to }) => roomOf(from) !== roomOf(to) && row(to) >= row(from),
  );

  assert.equal(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

test('are found at all', () => {
  assert.ok(
    readImports().some(({ from, to }) => from === 'src/main.ts' && to === 'src/base/version.ts'),
  );
  assert.is(readRows().get('base'), 0);
});

test.run();
