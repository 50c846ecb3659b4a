import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { until } from '../support/until.ts';
import { clientArrives, HELPER, type PlanRecord, run, withBox } from './scratch-box.ts';

const test = suite('output from pipe to pipe');
const inBox = requires(test, 'userns');

const ATTACH: PlanRecord = ['attach', 'stdout,stderr'];
const MEBIBYTE = 1 << 20;

const zeros = (mebibytes: number): string =>
  createHash('sha256')
    .update(Buffer.alloc(mebibytes * MEBIBYTE))
    .digest('hex');
const write = (mebibytes: number): string => `dd if=/dev/zero bs=1M count=${mebibytes} status=none`;

/** The words that a shell prints in which `box` is the container of this command. */
async function inShell(script: string, command: string): Promise<string[]> {
  let words: string[] = [];
  await withBox(async (box) => {
    const plan = box.boxPlan(command, ATTACH);
    const { stdout } = await run('/bin/bash', [
      '-c',
      `box() { ${HELPER} box ${plan}; }; ${script}`,
    ]);
    words = stdout.toString().trim().split(/\s+/);
  });
  return words;
}

inBox('keeps stdout and stderr apart', async () => {
  const words = await inShell(
    '{ { box 2>&3 | sha256sum >&4; } 3>&1 | sha256sum; } 4>&1',
    `${write(4)}; ${write(3)} >&2`,
  );

  assert.equal(words.filter((word) => word !== '-').sort(), [zeros(4), zeros(3)].sort());
});

inBox('loses nothing when the reader begins long after the end', async () => {
  // Longer than the monitor waits for a reader before it puts the end on record.
  const words = await inShell('box | (sleep 3; sha256sum)', write(2));

  assert.is(words[0], zeros(2));
});

inBox('loses nothing of lines that come one by one', async () => {
  const words = await inShell('box | cksum', 'seq 1 20000');
  const expected = await run('/bin/sh', ['-c', 'seq 1 20000 | cksum']);

  assert.equal(words, expected.stdout.toString().trim().split(/\s+/));
});

inBox('gives two clients with pipes the same', () =>
  withBox(async (box) => {
    const go = join(box.directory, 'go');
    const plan = box.boxPlan(`until [ -e ${go} ]; do sleep 0.05; done; ${write(8)}`, ATTACH);
    const first = run('/bin/sh', ['-c', `${HELPER} box ${plan} | sha256sum`]);
    await until('it runs', () => existsSync(join(box.runDirectory, 'state')));
    const attach = `${HELPER} attach ${box.attachPlan(ATTACH)}`;
    const arrival = clientArrives(box);
    const second = run('/bin/sh', ['-c', `${attach} | sha256sum`]);
    await arrival;
    writeFileSync(go, '');

    for (const { stdout } of await Promise.all([first, second]))
      assert.is(stdout.toString().slice(0, 64), zeros(8));
  }),
);

inBox('a client that comes after one whose reader has gone gets its output', () =>
  withBox(async (box) => {
    const go = join(box.directory, 'go');
    const command = `seq 1 100000; until [ -e ${go} ]; do sleep 0.05; done; ${write(1)}`;
    const plan = box.boxPlan(command, ATTACH);
    const { stdout } = await run('/bin/bash', [
      '-c',
      `${HELPER} box ${plan} | head -n 1; echo \${PIPESTATUS[0]}`,
    ]);
    assert.is(stdout.toString(), '1\n141\n');

    const attach = `${HELPER} attach ${box.attachPlan(ATTACH)}`;
    const arrival = clientArrives(box);
    const second = run('/bin/sh', ['-c', `${attach} | tail -c ${MEBIBYTE} | sha256sum`]);
    await arrival;
    writeFileSync(go, '');
    assert.is((await second).stdout.toString().slice(0, 64), zeros(1));
  }),
);

test.run();
