import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Scratch, withScratch } from './scratch.ts';

const test = suite('withScratch');

async function failureOf(promise: Promise<void>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String(error);
  }
  return 'none';
}

test('leaves nothing behind, and its names are short enough for sockets', async () => {
  let used: Scratch | undefined;
  await withScratch((_tsman, scratch) => {
    used = scratch;
    assert.ok(existsSync(scratch.makeDirectory('mine')));
    const socket = `${scratch.runRoot}/containers/${'0'.repeat(64)}/attach.sock`;
    assert.ok(socket.length <= 107, `${socket.length} bytes`);
  });

  assert.not(existsSync(used?.directory ?? '/'));
});

test('fails a test that leaves a process, and ends the process', async () => {
  let ended: Promise<unknown[]> | undefined;
  const failure = await failureOf(
    withScratch((_tsman, scratch) => {
      const child = spawn('sleep', ['1000'], {
        env: { LIVES_IN: scratch.directory },
        stdio: 'ignore',
        detached: true,
      });
      ended = once(child, 'exit');
    }),
  );

  assert.match(failure, /processes left behind:\n {2}\d+ sleep 1000/);
  assert.equal(await ended, [null, 'SIGKILL']);
});

test('passes on what a test throws', async () => {
  const failure = await failureOf(
    withScratch(() => {
      throw new Error('the very one');
    }),
  );

  assert.is(failure, 'Error: the very one');
});

test.run();
