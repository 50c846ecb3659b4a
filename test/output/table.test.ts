import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatTable } from '../../src/output/table.ts';
import { displayWidth } from '../../src/output/width.ts';

const test = suite('tables');

test('know how wide a terminal draws a text', () => {
  const widths = [
    'abc',
    '漢字',
    '한글',
    '🐳',
    'é',
    'e\u0301',
    '👩‍💻',
    '🇩🇪',
    '❤️',
    'ｱ',
    'a\u200bb',
    '…',
  ];

  assert.equal(widths.map(displayWidth), [3, 4, 4, 2, 1, 1, 2, 2, 2, 1, 2, 1]);
});

test('line up whatever the names are made of', () => {
  const lines = formatTable([
    ['NAME', 'X'],
    ['容器🐳', 'x'],
    ['a-very-long-name-indeed', 'x'],
  ]).split('\n');

  const column = (line: string): number => displayWidth(line.slice(0, line.search(/x$/i)));
  assert.equal(lines.slice(0, 3).map(column), [25, 25, 25]);
});

test.run();
