import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../src/oci/digest.ts';
import { Bars } from '../../src/output/bars.ts';
import { chooseMode, createProgress, type ProgressEvent } from '../../src/output/progress.ts';

const test = suite('progress');

const digest = (i: number): Digest =>
  `sha256:${String(i).padStart(64, '0')}`.replace(
    /^sha256:(0+)(\d+)$/,
    (_, zeros: string, number: string) =>
      `sha256:${number.padStart(12, '0')}${zeros.slice(12 - number.length)}`,
  ) as Digest;

interface Drawn {
  readonly stream: {
    write(text: string | Uint8Array): void;
    isTTY: boolean;
    columns: number;
    rows: number;
  };
  /** The lines on a terminal that understands cursor up and the two ways of erasing, no more. */
  lines(): string[];
}

/** biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's control sequences */
const CONTROL = /^\u001b\[(\d*)([AJK])/;

function terminal(columns: number, rows: number): Drawn {
  const lines: string[] = [''];
  let at = 0;
  const feed = (text: string): void => {
    for (let rest = text; rest !== ''; ) {
      const control = CONTROL.exec(rest);
      if (control !== null) {
        if (control[2] === 'A') {
          const up = Number(control[1]);
          assert.ok(up < rows, `moved up ${up} lines of ${rows}`);
          at -= up;
        } else if (control[2] === 'K') lines[at] = '';
        else lines.splice(at, lines.length, '');
        rest = rest.slice(control[0].length);
      } else {
        if (rest[0] === '\n') lines[++at] ??= '';
        else lines[at] = (lines[at] ?? '') + rest[0];
        assert.ok((lines[at]?.length ?? 0) < columns, `too long: ${lines[at]}`);
        rest = rest.slice(1);
      }
    }
  };
  const write = (text: string | Uint8Array) => feed(String(text));
  return { stream: { write, isTTY: true, columns, rows }, lines: () => lines.slice(0, -1) };
}

const begin = (name: string): ProgressEvent => ({ kind: 'begin', name });
const blob = (i: number, state: 'started' | 'done' | 'exists'): ProgressEvent => ({
  kind: 'blob',
  digest: digest(i),
  sizeBytes: 2_000_000,
  state,
});

test('draws a line for each layer over in place', () => {
  const { stream, lines } = terminal(80, 24);
  const bars = new Bars(stream, 'Pulling');
  bars.show(begin('a.io/x:1'));
  bars.show(blob(1, 'started'));
  bars.show(blob(2, 'exists'));
  bars.show({ kind: 'bytes', digest: digest(1), bytes: 1_000_000 });
  bars.show({ kind: 'warning', text: 'slow' });
  assert.equal(lines().slice(0, 2), ['Pulling a.io/x:1', 'warning: slow']);
  assert.match(lines()[2] ?? '', /^000000000001 {2}\[={10,} +\] {2}1 MB \/ 2 MB {2}\S+ \S+\/s$/);
  assert.is(lines()[3], '000000000002  already exists  2 MB');
  bars.show({ kind: 'bytes', digest: digest(1), bytes: 1_000_000 });
  bars.show(blob(3, 'started'));
  assert.is(lines()[2], '000000000001  unpacking  2 MB');
  bars.show(blob(1, 'done'));
  bars.show(blob(3, 'done'));
  bars.finish();
  assert.is(lines()[2], '000000000001  done  2 MB');
  assert.is(lines().length, 5);
});

test('fits into every terminal', () => {
  for (const columns of [120, 60, 44, 30, 20, 14, 6]) {
    const { stream, lines } = terminal(columns, 10);
    const bars = new Bars(stream, 'Pulling');
    bars.show(blob(1, 'started'));
    bars.show({ kind: 'bytes', digest: digest(1), bytes: 500_000 });
    bars.show(blob(2, 'started'));
    assert.match(lines()[0] ?? '', columns < 30 ? /25%/ : /500(\.0)? kB \/ 2 MB/, `${columns}`);
  }
});

test('of more layers than lines draws those under way', () => {
  const { stream, lines } = terminal(80, 8);
  const bars = new Bars(stream, 'Pulling');
  bars.show(begin('a.io/x:1'));
  for (let i = 1; i <= 30; i++) bars.show(blob(i, 'started'));
  for (let i = 1; i <= 28; i++) bars.show(blob(i, 'done'));
  assert.equal(
    lines().map((line) => line.slice(0, 20)),
    ['Pulling a.io/x:1', '28 of 30 layers done', '000000000029  [     ', '000000000030  [     '],
  );
});

test('is lines in a pipe, and nothing but warnings when quiet', async () => {
  const written: string[] = [];
  const pipe = {
    write: (text: string | Uint8Array) => written.push(String(text)),
    isTTY: false,
    columns: undefined,
  };
  for (const quiet of [false, true]) {
    const progress = await createProgress(pipe, chooseMode(pipe, quiet), 'Pulling');
    progress.show(begin('a.io/x:1'));
    progress.show(blob(1, 'started'));
    progress.show(blob(1, 'done'));
    progress.show({ kind: 'warning', text: 'slow' });
    progress.finish();
  }
  const shown = 'Pulling a.io/x:1\n|000000000001: done (2 MB)\n|warning: slow\n';
  assert.is(written.join('|'), `${shown}|warning: slow\n`);
});

test.run();
