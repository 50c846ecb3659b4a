import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EVIL, link, loadEvil } from '../support/evil-image.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

// run: root

const test = suite('a hostile image');
const declare = requires(test, 'userns');
const ALONE = ['--network', 'none'];
const UP = '../../../../../../../..';

declare('cannot redirect devices, by run or by create and start (CVE-2026-41579)', () =>
  withScratch(async (tsman, scratch) => {
    const outside = scratch.makeDirectory('outside');
    chmodSync(outside, 0o777);
    for (const target of [outside, `${UP}${outside}`]) {
      await loadEvil(tsman, scratch, link('dev', target));
      for (const tty of [[], ['--tty']]) {
        const probe = [...ALONE, ...tty, EVIL, 'probe', 'cat', '/dev/null'];
        await tsman('run', '--rm', ...probe);
        await tsman('create', '--name', 'c', ...probe);
        await tsman('start', '--attach', 'c');
        await tsman('rm', '-f', 'c');
        assert.equal(readdirSync(outside), [], target);
      }
    }
  }),
);

declare("cannot choose what masks /proc, nor where the terminal's device goes", () =>
  withScratch(async (tsman, scratch) => {
    const outside = scratch.makeDirectory('outside');
    chmodSync(outside, 0o777);
    const names = ['null', 'console', 'ptmx', 'pts', 'shm', 'mqueue', 'tty'];
    const links = names.map((name) => link(`dev/${name}`, `${UP}${outside}/${name}`));
    await loadEvil(tsman, scratch, { name: 'dev', type: '5' }, ...links);
    // CVE-2025-31133, CVE-2025-52565.
    for (const tty of [[], ['--tty']]) {
      const run = ['run', '--rm', ...ALONE, ...tty, EVIL, 'probe'];
      const { stdout, stderr } = await tsman(...run, 'mounts');
      assert.match(stdout, / \/null \/proc\/keys .* devtmpfs /, stderr);
      assert.match(stdout, / \/dev .* tmpfs /);
      assert.is((await tsman(...run, 'cat', '/proc/keys', '/proc/timer_list')).stdout, '');
    }
    assert.equal(readdirSync(outside), []);
  }),
);

declare('cannot keep a command waiting with FIFOs in the place of files (CVE-2024-9676)', () =>
  withScratch(async (tsman, scratch) => {
    const shared = scratch.makeDirectory('shared');
    spawnSync('mkfifo', ['-m', '666', join(shared, 'fifo')], { timeout: 60_000 });
    const names = ['etc/passwd', 'etc/group'];
    await loadEvil(tsman, scratch, ...names.map((name) => link(name, '/v/fifo')));
    const options = [...ALONE, '-v', `${shared}:/v`];
    // Each of these has a file of users or groups to look into.
    const quick = tsman.with({ timeoutMs: 60_000 });
    const run = await quick('run', '--rm', ...options, '--user', 'alice', EVIL, 'probe', 'id');
    assert.is(run.exitCode, 126, run.stderr);
    assert.match(run.stderr, /user \/etc\/passwd: invalid argument/);
    await quick('run', '-d', '--name', 'c', ...options, '--user', '5', EVIL, 'probe', 'sleep');
    const exec = await quick('exec', '--user', 'bob', 'c', 'probe', 'id');
    assert.equal([exec.exitCode, exec.stdout], [126, ''], exec.stderr);
    assert.is((await quick('exec', '--user', '6', 'c', 'probe', 'id')).stdout, '6 6 0 0\n');
    // CVE-2022-1227: what is shown is read outside, and by nothing of the image.
    assert.match((await quick('top', 'c', 'user', 'args')).stdout, /^5 +probe sleep$/m);
    for (const command of [['export'], ['diff'], ['commit', '-q'], ['cp', '-q']]) {
      const more = command[0] === 'cp' ? ['c:/etc/passwd', '-'] : ['c'];
      const { exitCode, stderr } = await quick(...command, ...more);
      assert.ok(exitCode === 0 || command[0] === 'cp', stderr);
    }
  }),
);

declare('cannot have its working directory made through a link, or in /proc', () =>
  withScratch(async (tsman, scratch) => {
    const outside = scratch.makeDirectory('outside');
    chmodSync(outside, 0o777);
    await loadEvil(
      tsman,
      scratch,
      link('up', `${UP}${outside}`),
      link('fd', '/proc/self/fd'),
      link('one', '/proc/1/root'),
    );
    await tsman('run', '-d', '--name', 'c', ...ALONE, EVIL, 'probe', 'sleep');
    // CVE-2026-55686, CVE-2024-21626; exec as well as run.
    for (const path of ['/up/a/b', '/fd/3', '/fd/7', '/proc/self/fd/8', '/one/x', '/proc/1/cwd']) {
      const runs = [
        ['run', '--rm', ...ALONE, '--workdir', path, EVIL],
        ['exec', '--workdir', path, 'c'],
      ];
      for (const words of runs) {
        const { exitCode, stdout, stderr } = await tsman(...words, 'probe', 'where');
        if (exitCode === 0) assert.match(stdout, new RegExp(` ${outside}/a/b \\d+\n`), path);
        else assert.match(stderr, /Error: .*\b(cwd|working directory)\b/, path);
      }
    }
    assert.equal(readdirSync(outside), []);
  }),
);

test.run();
