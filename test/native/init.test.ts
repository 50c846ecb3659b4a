import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { finished, HELPER, run, start } from './scratch-box.ts';

const test = suite('tsman-helper init');

test('passes on every exit code', async () => {
  const loop =
    'for i in $(seq 0 255); do "$0" init -- sh -c "exit $i"; [ $? = $i ] || echo "$i"; done';
  const { stdout } = await run('/bin/sh', ['-c', loop, HELPER]);

  assert.is(stdout.toString(), '');
});

test('gives 128+N for a command killed by signal N', async () => {
  const { exitCode } = await run(HELPER, ['init', '--', 'sh', '-c', 'kill -KILL $$']);

  assert.is(exitCode, 137);
});

test('passes on every signal that can be caught, real-time ones too', async () => {
  const trap =
    'for i in $(seq 1 64); do [ $i = 17 ] || trap "exit $i" $i 2>/dev/null; done; echo ready; while :; do sleep 0.05; done';
  const uncatchable = [9, 19];
  const internal = [32, 33]; // The C library's own.
  const childs = 17; // SIGCHLD is what init itself lives on.
  for (let signal = 1; signal <= 64; signal++) {
    if ([...uncatchable, ...internal, childs].includes(signal)) continue;
    const child = start(HELPER, 'init', '--', 'bash', '-c', trap);
    const end = finished(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    // Not child.kill: JavaScript has no names for the real-time signals.
    await run('/bin/sh', ['-c', `kill -${signal} ${child.pid}`]);
    const { exitCode } = await end;

    assert.is(exitCode, signal, `signal ${signal}`);
  }
});

test('reaps what is orphaned', async () => {
  const orphans = '(sleep 0.1 &) ; (sleep 0.1 &); sleep 0.6; ps -o stat= --ppid $PPID';
  const { stdout } = await run(HELPER, ['init', '-s', '--', 'sh', '-c', orphans]);

  assert.not.match(stdout.toString(), /Z/);
});

test('a stopped child is not an ended one', async () => {
  const script = '(while sleep 0.2; do kill -CONT $$ || exit; done) 2>&- & kill -STOP $$; exit 5';
  const { exitCode } = await run(HELPER, ['init', '--', 'sh', '-c', script]);

  assert.is(exitCode, 5);
});

test('gives the terminal to the command, so that ctrl-c reaches it once', async () => {
  const command = `${HELPER} init -- sh -c 'ps -o pgid=,tpgid= -p $$'`;
  const { stdout } = await run('script', ['-qec', command, '/dev/null']);
  const [group, foreground] = stdout.toString().trim().split(/\s+/);

  assert.is(group, foreground);
});

test('exits 127 when there is no such command and 126 when it is none', async () => {
  const missing = await run(HELPER, ['init', '--', '/no/such/command']);
  const file = await run(HELPER, ['init', '--', '/etc/passwd']);
  const nothing = await run(HELPER, ['init', '--']);

  assert.is(missing.exitCode, 127);
  assert.match(missing.stderr, /exec \/no\/such\/command: No such file/);
  assert.is(file.exitCode, 126);
  assert.is(nothing.exitCode, 125);
});

test.run();
