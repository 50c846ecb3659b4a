import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { flockHolder } from '../../src/base/flock.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('the holder of a lock');

test('is found by the file, and by nothing that only looks like it', () =>
  withScratch(async (_tsman, scratch) => {
    const [held, free] = ['held', 'free'].map((name) => join(scratch.directory, name)) as [
      string,
      string,
    ];
    for (const path of [held, free]) mkdirSync(path);
    const child = spawn('flock', ['--no-fork', held, 'sh', '-c', 'echo locked; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');

      assert.is(flockHolder(held), child.pid);
      assert.is(flockHolder(free), undefined);
      assert.is(flockHolder(join(scratch.directory, 'nowhere')), undefined);
    } finally {
      child.kill('SIGKILL');
    }
  }));

test.run();
