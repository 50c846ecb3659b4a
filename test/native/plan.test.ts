import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bench, encodePlan, type PlanRecord, withBench } from './helper-plan.ts';

const test = suite('the plan reader');

function refuses(bench: Bench, plan: Buffer, subject: string): void {
  const { exitCode, stderr } = bench.run('unshare', plan);
  assert.is(exitCode, 125, subject);
  assert.is(stderr, `tsman-helper: plan: ${subject}: Bad message\n`);
}

const SMALL: readonly PlanRecord[] = [
  ['userns', 'none'],
  ['exec', '/bin/true'],
];

test('carries out the smallest plan', () =>
  withBench((bench) => assert.is(bench.run('unshare', SMALL).exitCode, 0)));

test('refuses a plan that is cut off anywhere', () =>
  withBench((bench) => {
    const whole = encodePlan(SMALL);
    for (let length = 1; length < whole.length; length++)
      assert.is(bench.run('unshare', whole.subarray(0, length)).exitCode, 125, `${length} bytes`);
  }));

test('names the record it refuses', () =>
  withBench((bench) => {
    refuses(bench, encodePlan([['nonsense'], ...SMALL]), 'nonsense');
    refuses(bench, encodePlan([['umask', '9'], ...SMALL]), 'umask');
    refuses(bench, encodePlan([['umask', '022', '1'], ...SMALL]), 'umask');
    refuses(bench, encodePlan([['umask', '022'], ['umask', '022'], ...SMALL]), 'umask');
    refuses(bench, encodePlan([['env', 'HOME'], ...SMALL]), 'env');
    refuses(bench, encodePlan([['env', '=x'], ...SMALL]), 'env');
    refuses(bench, encodePlan([['namespaces', 'mount,moon'], ...SMALL]), 'namespaces');
    refuses(bench, encodePlan([['rlimit', 'nofile', '1', 'many'], ...SMALL]), 'rlimit');
    refuses(bench, encodePlan([['oom-score-adj', '- 1'], ...SMALL]), 'oom-score-adj');
    refuses(bench, Buffer.concat([encodePlan(SMALL), Buffer.from('x\0')]), 'end');
    refuses(bench, encodePlan([...SMALL, ['umask', '022']]), 'exec');
    refuses(bench, encodePlan([['userns', 'none']]), 'exec');
    refuses(bench, encodePlan([['exec', 'true']]), 'userns');
  }));

test('refuses records of another verb', () =>
  withBench((bench) => {
    refuses(bench, encodePlan([['pivot'], ...SMALL]), 'pivot');
    refuses(bench, encodePlan([['target', '1', '0'], ...SMALL]), 'target');
  }));

test('refuses a box without a pivot or without capabilities', () =>
  withBench((bench) => {
    for (const missing of ['pivot', 'capabilities', 'namespaces', 'run-dir', 'userns']) {
      const plan = [...bench.container('c'), ['exec', '/bin/probe', 'id'] as PlanRecord];
      const { exitCode, stderr } = bench.run(
        'box',
        plan.filter(([name]) => name !== missing),
      );
      assert.is(exitCode, 125, missing);
      assert.match(stderr, `plan: ${missing}:`);
    }
  }));

test('refuses a plan that is a symbolic link or no file', () =>
  withBench((bench) => {
    assert.match(bench.call(['unshare', '/proc/self/exe']).stderr, 'plan: /proc/self/exe');
    assert.match(bench.call(['unshare', bench.directory]).stderr, 'plan: ');
    assert.match(bench.call(['unshare', '/dev/zero']).stderr, 'Operation not permitted');
  }));

test('becomes the explaining program with step, subject and errno', () =>
  withBench((bench) => {
    const explain: PlanRecord = ['explain', '/bin/echo', 'why:'];
    const { stdout } = bench.run('unshare', [explain, ['userns', 'none'], ['exec', '/nothing']]);
    assert.is(stdout, 'why: exec /nothing 2\n');
  }));

test('writes the failure to the report descriptor', () =>
  withBench((bench) => {
    const { stdout, exitCode } = bench.run('unshare', [
      ['report', '4'],
      ['userns', 'none'],
      ['exec', '/nothing'],
    ]);
    // Descriptor 4 is not open: reported as a fault of the plan, not written anywhere.
    assert.is(stdout, '');
    assert.is(exitCode, 125);
  }));

test.run();
