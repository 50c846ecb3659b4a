import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman cp');

async function startSleeping(tsman: Tsman, name: string, ...options: string[]): Promise<void> {
  const args = ['--network', 'none', ...options, PROBE_IMAGE, '/bin/probe', 'sleep', '100'];
  const { exitCode, stderr } = await tsman('run', '-d', '--name', name, ...args);
  assert.is(exitCode, 0, stderr);
}

requires(test, 'userns')("follows Docker's rules for directories, slashes and /.", () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await startSleeping(tsman, 'box');
    const host = scratch.makeDirectory('host');
    mkdirSync(join(host, 'dir'));
    writeFileSync(join(host, 'dir/file'), 'content\n');
    const copy = async (from: string, to: string): Promise<string> =>
      (await tsman('cp', `${host}/${from}`, `box:${to}`)).stderr;
    assert.is(await copy('dir', '/tmp'), '');
    assert.is(await copy('dir/.', '/tmp'), '');
    assert.is(await copy('dir', '/tmp/new'), '');
    assert.is(await copy('dir/file', '/tmp/named'), '');
    assert.match(await copy('dir/file', '/tmp/missing/'), /no such directory/);
    assert.match(await copy('dir', '/tmp/named'), /not a directory/);
    const back = scratch.makeDirectory('back');
    assert.is((await tsman('cp', 'box:/tmp/.', back)).exitCode, 0);
    assert.equal(readdirSync(back).sort(), ['dir', 'file', 'named', 'new']);
    assert.equal(readdirSync(join(back, 'new')), ['file']);
  }),
);

requires(test, 'userns')(
  "gives files to the container's user, running or not, and to the caller on the host",
  () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      const file = join(scratch.makeDirectory('host'), 'file');
      writeFileSync(file, 'x');
      await tsman('create', '--name', 'box', '-u', 'alice', PROBE_IMAGE, '/bin/probe', 'id');
      assert.is((await tsman('cp', file, 'box:/tmp/file')).stderr, '');
      const upper = join(scratch.root, 'containers');
      const [id = ''] = readdirSync(upper);
      const owner = await tsman(
        'unshare',
        'stat',
        '-c',
        '%u:%g',
        join(upper, id, 'upper/tmp/file'),
      );
      assert.is(owner.stdout, '1000:1000\n');
      assert.is((await tsman('cp', 'box:/tmp/file', `${file}2`)).exitCode, 0);
      assert.is(lstatSync(`${file}2`).uid, process.getuid?.());
    }),
);

requires(test, 'userns')(
  'links in the container never lead outside, not even while a process swaps them',
  () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      const shared = scratch.makeDirectory('shared');
      const secret = join(scratch.makeDirectory('secret'), 'file');
      writeFileSync(secret, 'secret');
      await startSleeping(tsman, 'box', '-v', `${shared}:/v`);
      mkdirSync(join(shared, 'a'));
      writeFileSync(join(shared, 'a/file'), 'mine');
      const { spawn } = await import('node:child_process');
      const script = `cd ${shared}; ln -s ${scratch.directory}/secret l; while :; do mv -T a b; mv -T l a; mv -T a l; mv -T b a; done`;
      const swapper = spawn('sh', ['-c', script], { stdio: 'ignore' });
      try {
        for (let i = 0; i < 25; i++) {
          const out = await tsman('cp', 'box:/v/a/file', '-');
          assert.not.match(out.stdout, /secret\0/);
          const from = join(shared, '..', 'new');
          writeFileSync(from, 'evil');
          await tsman('cp', from, 'box:/v/a/file');
        }
      } finally {
        swapper.kill('SIGKILL');
      }
      assert.is(readFileSync(secret, 'utf8'), 'secret');
    }),
);

requires(test, 'userns')(
  'copies through a volume of a stopped container, and between containers as an archive',
  () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      await tsman('create', '--name', 'one', '-v', 'data:/data', PROBE_IMAGE, '/bin/probe', 'id');
      const file = join(scratch.makeDirectory('host'), 'file');
      writeFileSync(file, 'x');
      await tsman('cp', file, 'one:/data/');
      assert.ok(existsSync(join(scratch.root, 'volumes/data/_data/file')));
      await tsman('create', '--name', 'two', PROBE_IMAGE, '/bin/probe', 'id');
      assert.is((await tsman('cp', 'one:/data', 'two:/tmp')).stderr, '');
      const archive = (await tsman('cp', 'two:/tmp/data', '-')).stdout;
      assert.match(archive, /^data\/.*data\/file/s);
      assert.is((await tsman.with({ stdin: archive })('cp', '-', 'one:/tmp')).exitCode, 0);
      assert.match((await tsman('cp', file, 'one:/data')).stderr, /^$/);
      assert.match(
        (await tsman('cp', scratch.directory, 'one:/data/file')).stderr,
        /not a directory/,
      );
    }),
);

requires(test, 'userns')('a --rm container starts after a copy into it', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const file = join(scratch.directory, 'file');
    writeFileSync(file, 'copied');
    const command = ['/bin/probe', 'cat', '/tmp/file'];
    await tsman('create', '--rm', '--name', 'once', '--network', 'none', PROBE_IMAGE, ...command);
    assert.is((await tsman('cp', file, 'once:/tmp/file')).exitCode, 0);
    const start = await tsman('start', '--attach', 'once');
    assert.is(start.stdout, 'copied', start.stderr);
  }),
);

test.run();
