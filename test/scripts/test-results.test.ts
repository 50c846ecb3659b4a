import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judge, type Outcome } from '../../scripts/test-results.ts';

const test = suite('the test runner');

/** What the runner says of a test file with this text: really run by uvu. */
function judgeFile(body: string): Outcome {
  const source = `const { suite } = await import('uvu'); const test = suite('s'); ${body}`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', source], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return judge({ exitCode: status, signal, timedOut: false, output: stdout + stderr });
}

function numbers({ passed, failed, skipped }: Outcome): number[] {
  return [passed, failed, skipped];
}

test('counts passed and failed tests', () => {
  const outcome = judgeFile(
    `test('a', () => {}); test('b', () => { throw new Error('no') }); test.run();`,
  );

  assert.equal([numbers(outcome), outcome.problems], [[1, 1, 0], []]);
});

test('counts skips that give a reason, and fails those that do not', () => {
  const skip = `test.skip('b'); test('a', () => {}); test.run();`;

  assert.equal(numbers(judgeFile(`console.log('SKIP b: no tun'); ${skip}`)), [1, 0, 1]);
  assert.match(judgeFile(skip).problems.join(), /skipped without a reason/);
  assert.is(judgeFile(`test('a', () => {}); test.only('b', () => {}); test.run();`).failed, 1);
});

test('fails a file without .run(), without tests, or that ends early', () => {
  assert.is(judgeFile(`test('a', () => {});`).failed, 1);
  assert.is(judgeFile('test.run();').failed, 1);
  assert.is(judgeFile(`test('a', () => process.exit(0)); test.run();`).failed, 1);
});

test('fails a test that throws null, and a file that fails after its tests', () => {
  assert.is(judgeFile(`test('a', () => { throw null }); test.run();`).failed, 1);
  assert.is(
    judgeFile(`test('a', () => {}); test.run(); setTimeout(() => process.exit(3), 200);`).failed,
    1,
  );
});

test('fails a file that was killed or ran out of time', () => {
  const finished = { exitCode: null, signal: 'SIGKILL', output: '' };

  assert.equal(judge({ ...finished, timedOut: true }).problems, ['timed out']);
  assert.equal(judge({ ...finished, timedOut: false }).problems, ['killed by SIGKILL']);
});

test.run();
