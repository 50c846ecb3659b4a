import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanPath } from '../support/tsman.ts';

// run: root

const test = suite('the helper, seen from a hostile container');
const declare = requires(test, 'userns');
const ALONE = ['--network', 'none'];
const EXECS = 12;

const hashOf = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex');

/** Has a spy look at everything that commands executed in its container show; what it got. */
async function spyOn(tsman: Tsman, ...options: string[]): Promise<string> {
  await tsman('run', '-d', '--name', 'spy', ...ALONE, ...options, PROBE_IMAGE, 'probe', 'spy');
  for (let i = 0; i < EXECS; i++) {
    const user = i % 2 === 0 ? [] : ['--user', 'alice', '--privileged'];
    const { exitCode, stderr } = await tsman('exec', ...user, 'spy', 'probe', 'id');
    assert.is(exitCode, 0, stderr);
  }
  await tsman('stop', '-t', '5', 'spy');
  const { stdout } = await tsman('logs', 'spy');
  await tsman('rm', '-f', '-t', '0', 'spy');
  return stdout;
}

declare('cannot be written to by a payload of /proc/self/exe, or while exec enters', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const helper = helperPathOf();
    const before = hashOf(helper);
    // CVE-2019-5736.
    for (const path of ['/proc/self/exe', '/proc/1/exe']) {
      await tsman('run', '--rm', ...ALONE, PROBE_IMAGE, path, 'version');
      const write = ['probe', 'write', path, 'x'];
      assert.is.not((await tsman('run', '--rm', ...ALONE, PROBE_IMAGE, ...write)).exitCode, 0);
    }
    // What it was shut out of is the helper on its way to become the command.
    const got = await spyOn(tsman);
    assert.match(got, /^spying\nshut [1-9]\d* times\n$/);
    // It may look then, but finds no file of the host: neither to read nor to write (CVE-2016-9962).
    assert.match(await spyOn(tsman, '--cap-add', 'SYS_PTRACE'), /^spying\nshut \d+ times\n$/);
    assert.is(hashOf(helper), before);
  }),
);

function helperPathOf(): string {
  return process.env['TSMAN_HELPER'] ?? join(tsmanPath(), '../tsman-helper');
}

test.run();
