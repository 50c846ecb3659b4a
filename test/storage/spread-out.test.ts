import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('layers on ext4');

requires(
  test,
  'userns',
  'ext4',
)('begin in parts of the disk of their own', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    const listed = execFileSync('lsattr', ['-d', join(root, 'layers')], { encoding: 'utf8' });
    assert.match(listed, /^\S*T/);
  }),
);

test.run();
