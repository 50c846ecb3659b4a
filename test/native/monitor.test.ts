import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { finished, HELPER, type PlanRecord, run, start, until, withBox } from './scratch-box.ts';

const test = suite('the monitor');
const inBox = requires(test, 'userns');

const ATTACH: PlanRecord = ['attach', 'stdout,stderr'];
const MEBIBYTE = 1 << 20;

function sha256OfZeros(sizeBytes: number): string {
  return createHash('sha256').update(Buffer.alloc(sizeBytes)).digest('hex');
}

inBox('records the exit code, for the client and in the file', () =>
  withBox(async (box) => {
    const { exitCode, stdout, stderr } = await run(HELPER, [
      'box',
      box.boxPlan('echo out; echo err >&2; exit 3', ATTACH),
    ]);

    assert.is(exitCode, 3);
    assert.is(stdout.toString(), 'out\n');
    assert.is(stderr, 'err\n');
    // The file is there before the client leaves.
    const text = readFileSync(join(box.containerDirectory, 'exit'), 'utf8');
    assert.match(text, /^code 3\nsignal 0\nfinished \d+\.\d{9}\noom 0\nfinal 1\n$/);
  }),
);

inBox('records the signal that ended it', () =>
  withBox(async (box) => {
    const running = run(HELPER, ['box', box.boxPlan('sleep 9', ATTACH)]);
    while ((box.state('pid') ?? 0) === 0) await sleep(20);
    process.kill(box.state('pid') ?? 0, 'SIGKILL');

    assert.is((await running).exitCode, 137);
    assert.match(await box.exitFile(), /^code 137\nsignal 9\n/);
  }),
);

inBox('appends events of its start and its end', () =>
  withBox(async (box) => {
    await run(HELPER, ['box', box.boxPlan('exit 6', ATTACH)]);

    const lines = readFileSync(join(box.directory, 'events'), 'utf8').trimEnd().split('\n');
    const [init, started, , died, cleanup] = lines.map((line) => JSON.parse(line));
    assert.is(init.Action, 'init');
    assert.is(cleanup.Action, 'cleanup');
    assert.is(started.Action, 'start');
    assert.is(died.Action, 'died');
    assert.is(died.ID, 'cafe');
    assert.is(died.exitCode, 6);
    assert.ok(died.timeNano >= started.timeNano);
  }),
);

inBox('hands 200 MB on unchanged', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('dd if=/dev/zero bs=1M count=200 status=none', ATTACH);
    const { stdout } = await run('/bin/sh', ['-c', `${HELPER} box ${plan} | sha256sum`]);

    assert.is(stdout.toString().slice(0, 64), sha256OfZeros(200 * MEBIBYTE));
  }),
);

inBox('survives a signal that comes as soon as its pid can be known', () =>
  withBox(async (box) => {
    for (let round = 0; round < 5; round++) {
      const client = finished(start(HELPER, 'box', box.boxPlan('sleep 0.3; exit 7', ATTACH)));
      let pid: number | undefined;
      const deadline = performance.now() + 10_000;
      // Without a pause: the moment is short.
      while (pid === undefined && performance.now() < deadline) pid = box.state('monitor');
      process.kill(pid ?? 0, 'SIGUSR1');
      assert.is((await client).exitCode, 7);
      rmSync(join(box.runDirectory, 'state'), { force: true });
    }
  }),
);

inBox('waits for a slow reader and loses nothing', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('dd if=/dev/zero bs=1M count=8 status=none', ATTACH);
    const script = `${HELPER} box ${plan} | (sleep 0.5; dd bs=1k count=100 status=none; sleep 0.5; cat) | sha256sum`;
    const { stdout } = await run('/bin/sh', ['-c', script]);

    assert.is(stdout.toString().slice(0, 64), sha256OfZeros(8 * MEBIBYTE));
  }),
);

inBox('gives two clients the same', () =>
  withBox(async (box) => {
    const plan = box.boxPlan(
      'until [ -e /$0/go ]; do sleep 0.05; done; dd if=/dev/zero bs=1M count=8 status=none'.replaceAll(
        '/$0',
        box.directory,
      ),
      ATTACH,
    );
    const first = finished(start(HELPER, 'box', plan));
    await until(() => existsSync(join(box.runDirectory, 'state')));
    const second = finished(start(HELPER, 'attach', box.attachPlan(ATTACH)));
    await sleep(200);
    writeFileSync(join(box.directory, 'go'), '');

    for (const outcome of await Promise.all([first, second])) {
      assert.is(outcome.exitCode, 0);
      assert.is(
        createHash('sha256').update(outcome.stdout).digest('hex'),
        sha256OfZeros(8 * MEBIBYTE),
      );
    }
  }),
);

inBox('goes on when its client is killed', () =>
  withBox(async (box) => {
    const child = start(
      HELPER,
      'box',
      box.boxPlan('for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; exit 5', ATTACH),
    );
    await until(() => existsSync(box.log) && readFileSync(box.log, 'utf8').includes(' 1\n'));
    child.kill('SIGKILL');

    assert.match(await box.exitFile(), /^code 5\n/);
    assert.match(readFileSync(box.log, 'utf8'), / 5\n$/);
  }),
);

inBox('takes the container along when it is killed, and the client says so', () =>
  withBox(async (box) => {
    const child = finished(start(HELPER, 'box', box.boxPlan('sleep 20', ATTACH)));
    await until(() => box.state('pid') !== undefined);
    process.kill(box.state('monitor') ?? 0, 'SIGKILL');
    const { exitCode, stderr } = await child;

    assert.is(exitCode, 125);
    assert.is(stderr, "Error: the container's monitor has gone\n");
    await until(() => !existsSync(`/proc/${box.state('pid')}`));
  }),
);

inBox('passes a request to end on to the container', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done');
    await run(HELPER, ['box', plan]);
    await until(() => existsSync(box.log) && readFileSync(box.log, 'utf8').includes('ready'));
    process.kill(box.state('monitor') ?? 0, 'SIGTERM');

    assert.match(await box.exitFile(), /^code 9\n/);
  }),
);

inBox('kills the container when its time is over, with the code of conmon', () =>
  withBox(async (box) => {
    const started = performance.now();
    const { exitCode } = await run(HELPER, [
      'box',
      box.boxPlan('sleep 20', ATTACH, ['timeout', '1']),
    ]);

    assert.is(exitCode, 255);
    assert.ok(performance.now() - started < 3_000);
  }),
);

inBox('removes the container with everything in it, and nothing else', () =>
  withBox(async (box) => {
    const precious = join(box.directory, 'precious');
    mkdirSync(precious);
    writeFileSync(join(precious, 'file'), '');
    symlinkSync(precious, join(box.containerDirectory, 'link'));
    const closed = join(box.containerDirectory, 'closed');
    mkdirSync(join(closed, 'inside'), { recursive: true });
    chmodSync(closed, 0);
    mkdirSync(join(box.containerDirectory, ...Array<string>(100).fill('deep')), {
      recursive: true,
    });
    const trash = join(box.directory, 'trash');
    const plan = box.boxPlan('exit 2', ATTACH, ['auto-remove', trash]);
    const { exitCode } = await run(HELPER, ['box', plan]);

    assert.is(exitCode, 2);
    assert.not(existsSync(box.containerDirectory)); // before the client leaves
    await until(() => !existsSync(trash) && !existsSync(box.runDirectory));
    assert.ok(existsSync(join(precious, 'file')));
  }),
);

inBox('needs at most 300 kB of memory when all is quiet', () =>
  withBox(async (box) => {
    await run(HELPER, ['box', box.boxPlan('seq 1 100000; sleep 20')]);
    await sleep(2_500);

    const text = readFileSync(`/proc/${box.state('monitor')}/smaps_rollup`, 'utf8');
    const pssKilobytes = Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1]);
    assert.ok(pssKilobytes <= 300, `PSS is ${pssKilobytes} kB`);
  }),
);

test.run();
