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
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { until, untilEnded } from '../support/until.ts';
import {
  clientArrives,
  finished,
  HELPER,
  type PlanRecord,
  run,
  start,
  withBox,
} from './scratch-box.ts';

const test = suite('the monitor');
const inBox = requires(test, 'userns');

const ATTACH: PlanRecord = ['attach', 'stdout,stderr'];
const MEBIBYTE = 1 << 20;

function sha256OfZeros(sizeBytes: number): string {
  return createHash('sha256').update(Buffer.alloc(sizeBytes)).digest('hex');
}

/** A line of shell that goes on when the file is there. */
function waitFor(path: string): string {
  return `until [ -e ${path} ]; do sleep 0.05; done`;
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
    await until('it runs', () => (box.state('pid') ?? 0) > 0);
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
      const go = join(box.directory, `go-${round}`);
      const plan = box.boxPlan(`${waitFor(go)}; exit 7`, ATTACH);
      const client = finished(start(HELPER, 'box', plan));
      let pid: number | undefined;
      const deadline = performance.now() + 60_000;
      // Without a pause: the moment is short.
      while (pid === undefined && performance.now() < deadline) pid = box.state('monitor');
      process.kill(pid ?? 0, 'SIGUSR1');
      writeFileSync(go, '');
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
    const go = join(box.directory, 'go');
    const plan = box.boxPlan(`${waitFor(go)}; dd if=/dev/zero bs=1M count=8 status=none`, ATTACH);
    const first = finished(start(HELPER, 'box', plan));
    await until('it runs', () => existsSync(join(box.runDirectory, 'state')));
    const arrival = clientArrives(box);
    const second = finished(start(HELPER, 'attach', box.attachPlan(ATTACH)));
    await arrival;
    writeFileSync(go, '');

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
    await until(
      'it has begun',
      () => existsSync(box.log) && readFileSync(box.log, 'utf8').includes(' 1\n'),
    );
    child.kill('SIGKILL');

    assert.match(await box.exitFile(), /^code 5\n/);
    assert.match(readFileSync(box.log, 'utf8'), / 5\n$/);
  }),
);

inBox('takes the container along when it is killed, and the client says so', () =>
  withBox(async (box) => {
    const child = finished(start(HELPER, 'box', box.boxPlan('sleep 20', ATTACH)));
    await until('it runs', () => box.state('pid') !== undefined);
    process.kill(box.state('monitor') ?? 0, 'SIGKILL');
    const { exitCode, stderr } = await child;

    assert.is(exitCode, 125);
    assert.is(stderr, "Error: the container's monitor has gone\n");
    await untilEnded(box.state('pid') ?? 0);
  }),
);

inBox('passes a request to end on to the container', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done');
    await run(HELPER, ['box', plan]);
    await until(
      'it is ready',
      () => existsSync(box.log) && readFileSync(box.log, 'utf8').includes('ready'),
    );
    process.kill(box.state('monitor') ?? 0, 'SIGTERM');

    assert.match(await box.exitFile(), /^code 9\n/);
  }),
);

inBox('kills the container when its time is over, with the code of conmon', () =>
  withBox(async (box) => {
    const { exitCode } = await run(HELPER, [
      'box',
      box.boxPlan('sleep 50', ATTACH, ['timeout', '1']),
    ]);

    assert.is(exitCode, 255);
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
    await until('all is gone', () => !existsSync(trash) && !existsSync(box.runDirectory));
    assert.ok(existsSync(join(precious, 'file')));
  }),
);

inBox('needs at most 300 kB of memory when all is quiet', () =>
  withBox(async (box) => {
    await run(HELPER, ['box', box.boxPlan('seq 1 100000; sleep 100')]);

    const monitor = box.state('monitor');
    const pssKilobytes = (): number =>
      Number(/^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${monitor}/smaps_rollup`, 'utf8'))?.[1]);
    // It gives its buffers back when nothing has happened for a while.
    await until('it needs little', () => pssKilobytes() <= 300).catch(() =>
      assert.unreachable(`PSS is ${pssKilobytes()} kB`),
    );
  }),
);

test.run();
