import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('second runs of failed test files');

const PASSES = 'test.run();';
const FAILS = `test('b', () => { throw new Error('as always') }); test.run();`;
/** Fails where it finds no trace of itself. */
const FAILS_ONCE = `
const { existsSync, writeFileSync } = await import('node:fs');
test('b', () => {
  if (existsSync('trace')) return;
  writeFileSync('trace', '');
  throw new Error('once only');
});
test.run();`;

interface Result {
  readonly status: number | null;
  readonly lines: readonly string[];
}

/** What the runner says in a checkout of these test files, each of which has one good test besides. */
function runFiles(files: Readonly<Record<string, string>>): Result {
  const directory = mkdtempSync('/var/tmp/t');
  try {
    mkdirSync(join(directory, 'test'));
    for (const name of ['scripts', 'node_modules'])
      symlinkSync(resolve(name), join(directory, name));
    for (const [name, body] of Object.entries(files)) {
      const source = `const { suite } = await import('uvu'); const test = suite('s'); test('a', () => {}); ${body}`;
      writeFileSync(join(directory, 'test', `${name}.test.ts`), source);
    }
    const { status, stdout } = spawnSync(process.execPath, ['scripts/run-tests.ts', 'test/'], {
      cwd: directory,
      encoding: 'utf8',
      timeout: 120_000,
    });
    // Without the seconds.
    return { status, lines: stdout.replaceAll(/, [\d.]+ s\)/g, ')').split('\n') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function startsOf({ lines }: Result, ...words: string[]): string[] {
  return lines.filter((line) => words.some((word) => line.startsWith(`${word} `)));
}

test('a file that fails beside others and passes alone counts as passed, and is named', () => {
  const result = runFiles({ good: PASSES, odd: FAILS_ONCE });

  assert.equal(startsOf(result, 'FAIL', 'FLAKY'), [
    'FAIL test/odd.test.ts  (1 passed)',
    'FLAKY test/odd.test.ts: failed beside others, passed alone',
  ]);
  assert.is(result.lines.filter((line) => line.endsWith(' once only')).length, 1);
  assert.is(result.lines.at(-2), '3 passed, 0 failed, 0 skipped');
  assert.is(result.status, 0);
});

test('a file that fails again fails, and is counted once', () => {
  const result = runFiles({ good: PASSES, bad: FAILS });

  assert.is(startsOf(result, 'FAIL').length, 2);
  assert.equal(startsOf(result, 'FLAKY'), []);
  assert.is(result.lines.at(-2), '2 passed, 1 failed, 0 skipped');
  assert.is(result.status, 1);
});

test('a file that ran by itself, or one of many that failed, gets no second run', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const many = runFiles(Object.fromEntries(names.map((name) => [name, FAILS])));

  assert.is(startsOf(many, 'FAIL').length, names.length);
  assert.is(many.lines.at(-2), '5 passed, 5 failed, 0 skipped');
  assert.is(startsOf(runFiles({ odd: FAILS_ONCE }), 'FAIL').length, 1);
});

test.run();
