import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { until } from '../support/until.ts';
import {
  finished,
  HELPER,
  type Outcome,
  type PlanRecord,
  run,
  type ScratchBox,
  start,
  withBox,
} from './scratch-box.ts';

const test = suite('the attach client');
const inBox = requires(test, 'userns');

const ATTACH: PlanRecord = ['attach', 'stdin,stdout,stderr'];
const INPUT: PlanRecord = ['stdin', 'open'];
const PROXY: PlanRecord = ['sig-proxy'];
const TERMINAL: PlanRecord = ['terminal', '0', '0'];
const DETACH: PlanRecord = ['detach-keys', '1011']; // ctrl-p ctrl-q

/** Runs a shell script on a terminal, which gets `typed` piece by piece: each when the text before it has appeared. */
async function onTerminal(
  script: string,
  ...typed: readonly (readonly [expected: string, keys: string])[]
): Promise<string> {
  const child = start('script', '-qec', script, '/dev/null');
  let shown = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const end = finished(child);
  let from = 0;
  for (const [expected, keys] of typed) {
    await until(`${expected} is shown`, () => shown.indexOf(expected, from) >= 0);
    from = shown.length;
    child.stdin?.write(keys);
  }
  await end;
  return shown;
}

function onBox(box: ScratchBox, command: string, ...settings: PlanRecord[]): string {
  return `${HELPER} box ${box.boxPlan(command, ATTACH, INPUT, ...settings)}`;
}

inBox('sends its input and then the end of it', () =>
  withBox(async (box) => {
    const { stdout } = await run(
      HELPER,
      ['box', box.boxPlan('wc -c', ATTACH, INPUT)],
      'x'.repeat(5_000_000),
    );

    assert.is(stdout.toString(), '5000000\n');
  }),
);

inBox('leaves its input alone when that was not asked for', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('cat', ['attach', 'stdout']);
    const { stdout } = await run('/bin/sh', ['-c', `echo mine | (${HELPER} box ${plan}; cat)`]);

    assert.is(stdout.toString(), 'mine\n');
  }),
);

inBox('a signal overtakes input that the container does not read', () =>
  withBox(async (box) => {
    const command = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done';
    const child = start(HELPER, 'box', box.boxPlan(command, ATTACH, INPUT, PROXY));
    child.stdin?.on('error', () => {});
    child.stdin?.write('x'.repeat(5_000_000));
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGTERM');

    assert.is((await finished(child)).exitCode, 9);
  }),
);

inBox('without sig-proxy a signal ends the client, not the container', () =>
  withBox(async (box) => {
    const child = start(HELPER, 'box', box.boxPlan('echo ready; sleep 0.4; exit 3', ATTACH));
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGTERM');
    await finished(child);

    assert.is(child.signalCode, 'SIGTERM');
    assert.match(await box.exitFile(), /^code 3\n/);
  }),
);

inBox('leaves as for SIGPIPE when the reader of its output has gone', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('seq 1 1000000; exit 4', ATTACH);
    const { stdout, stderr } = await run('/bin/sh', [
      '-c',
      `(${HELPER} box ${plan}; echo $? >&2) | head -n 1`,
    ]);

    assert.is(stdout.toString(), '1\n');
    assert.is(stderr, '141\n');
    assert.match(await box.exitFile(), /^code 4\n/);
  }),
);

inBox('never changes the mode of the descriptors it was given', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('echo hi', ATTACH, INPUT);
    const flags = 'for fd in 0 1 2; do grep flags /proc/self/fdinfo/$fd; done >&3';
    const script = `(${flags}; ${HELPER} box ${plan}; ${flags}) 3>${box.directory}/flags`;
    await run('/bin/sh', ['-c', `${script}; cat ${box.directory}/flags >&2`]).then(sameTwice);
  }),
);

function sameTwice({ stderr }: Outcome): void {
  const lines = stderr.trimEnd().split('\n');
  assert.is(lines.length, 6);
  assert.equal(lines.slice(0, 3), lines.slice(3));
}

inBox('gives the terminal its raw mode and back', () =>
  withBox(async (box) => {
    const inside = onBox(box, 'stty -a | grep -o " icanon"; echo inside; exit 7', TERMINAL);
    const shown = await onTerminal(
      `stty -a >${box.directory}/1; ${inside}; echo code $?; stty -a >${box.directory}/2; cmp ${box.directory}/1 ${box.directory}/2 && echo same`,
    );

    assert.match(shown, / icanon\r\ninside\r\ncode 7\r\nsame/);
  }),
);

inBox('tells the container the size of the terminal, and when it changes', () =>
  withBox(async (box) => {
    const inside = onBox(
      box,
      `trap "stty size; exit" WINCH; stty size; echo ready; >${box.directory}/ready; while :; do sleep 0.05; done`,
      ['terminal', '22', '99'],
    );
    const resize = `(until [ -e ${box.directory}/ready ]; do sleep 0.05; done; stty rows 33 cols 111 </dev/tty)`;
    const shown = await onTerminal(`stty rows 22 cols 99; ${resize} & ${inside}`);

    assert.match(shown, /22 99\r\nready\r\n33 111\r\n/);
  }),
);

inBox('ctrl-c typed at the terminal reaches the container', () =>
  withBox(async (box) => {
    const inside = onBox(
      box,
      'trap "echo caught; exit 8" INT; echo ready; while :; do sleep 0.05; done',
      TERMINAL,
    );
    const shown = await onTerminal(`${inside}; echo code $?`, ['ready', '\x03']);

    assert.match(shown, /caught\r\ncode 8/);
  }),
);

inBox('detaches by its keys, typed in two parts, and attaches again', () =>
  withBox(async (box) => {
    const inside = onBox(box, 'echo ready; read line; echo "got $line"; exit 5', TERMINAL, DETACH);
    const again = `${HELPER} attach ${box.attachPlan(ATTACH, DETACH)}`;
    const shown = await onTerminal(
      `${inside}; echo left $?; ${again}; echo code $?`,
      ['ready', '\x10'],
      ['', '\x11'],
      ['left 0', 'word\r'],
    );

    assert.match(shown, /got word\r\ncode 5/);
  }),
);

inBox('sends on what only began like the detach keys', () =>
  withBox(async (box) => {
    const inside = onBox(box, 'stty raw -echo; echo ready; head -c 4 | od -An -tx1', TERMINAL, [
      'detach-keys',
      '101011',
    ]);
    const shown = await onTerminal(inside, ['ready', '\x10'], ['', '\x10\x10x']);

    assert.match(shown, /10 10 10 78/);
  }),
);

inBox('the end of its input ends that of a program reading lines from the terminal', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('cat; echo over', ATTACH, INPUT, TERMINAL);
    const { stdout } = await run(HELPER, ['box', plan], 'line\n');

    assert.match(stdout.toString(), /^line\r\nline\r\n/);
    assert.match(stdout.toString(), /over\r\n$/);
  }),
);

inBox('says when there is nothing to attach to', () =>
  withBox(async (box) => {
    const { exitCode, stderr } = await run(HELPER, ['attach', box.attachPlan(ATTACH)]);

    assert.is(exitCode, 125);
    assert.match(stderr, /attach: attach\.sock: No such file/);
  }),
);

test.run();
