import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE, probeDirectory } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';

const test = suite('the root of a container');
const inBox = requires(test, 'userns');

const RUN = ['run', '--rm', '--network=none'] as const;

/** A directory with nothing but the probe in it. */
async function makeRoot(scratch: Scratch): Promise<string> {
  const root = scratch.makeDirectory('rootfs');
  mkdirSync(join(root, 'bin'));
  copyFileSync(join(await probeDirectory(), 'probe'), join(root, 'bin/probe'));
  return root;
}

inBox('is the directory itself with --rootfs, and an overlay on it with :O', () =>
  withScratch(async (tsman, scratch) => {
    const root = await makeRoot(scratch);

    const over = await tsman(...RUN, '--rootfs', `${root}:O`, '/bin/probe', 'write', '/kept', 'x');
    assert.is(over.exitCode, 0, over.stderr);
    assert.not(existsSync(join(root, 'kept')));
    const plain = await tsman(...RUN, '--rootfs', root, '/bin/probe', 'write', '/kept', 'x');
    assert.is(plain.exitCode, 0, plain.stderr);
    assert.is(readFileSync(join(root, 'kept'), 'utf8').trim(), 'x');

    const readOnly = await tsman(
      ...RUN,
      '--read-only',
      '--rootfs',
      root,
      'probe',
      'write',
      '/no',
      'x',
    );
    assert.is.not(readOnly.exitCode, 0);
    assert.not(existsSync(join(root, 'no')));
    await tsman(
      'create',
      '--network=none',
      '--name=c',
      '--rootfs',
      `${root}:O`,
      'probe',
      'cat',
      '/kept',
    );
    assert.is((await tsman('start', '-a', 'c')).stdout.trim(), 'x');
    assert.is((await tsman('inspect', '-f', '{{.Rootfs}} {{.Image}}', 'c')).stdout, `${root} \n`);
  }),
);

inBox('given wrongly with --rootfs is refused', () =>
  withScratch(async (tsman, scratch) => {
    for (const [path, pattern] of [
      ['/nonexistent', /no such directory/],
      [`${scratch.directory}:idmap`, /id-mapped/],
      ['/etc/passwd', /no such directory/],
    ] as const) {
      const { exitCode, stderr } = await tsman(...RUN, '--rootfs', path, '/bin/probe');
      assert.is(exitCode, 125, path);
      assert.match(stderr, pattern);
    }
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }),
);

inBox('has the engine’s files below --chrootdirs too', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const options = ['--hostname=box', '--add-host=db:10.1.2.3', '--chrootdirs=/jail,/other'];
    for (const place of ['', '/jail', '/other']) {
      const cat = await tsman(
        ...RUN,
        ...options,
        PROBE_IMAGE,
        'probe',
        'cat',
        `${place}/etc/hosts`,
      );
      assert.match(cat.stdout, /^10\.1\.2\.3\s+db$/m, cat.stderr);
    }
    const name = await tsman(...RUN, ...options, PROBE_IMAGE, 'probe', 'cat', '/jail/etc/hostname');
    assert.is(name.stdout, 'box\n');
    const wrong = await tsman(...RUN, '--chrootdirs=jail', PROBE_IMAGE, 'probe');
    assert.is(wrong.exitCode, 125);
    assert.match(wrong.stderr, /--chrootdirs/);
  }),
);

inBox('runs a program with the --personality that was asked for', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const usual = readFileSync('/proc/self/personality', 'utf8');
    const show = [PROBE_IMAGE, 'probe', 'cat', '/proc/self/personality'] as const;

    assert.is((await tsman(...RUN, ...show)).stdout, usual);
    assert.is((await tsman(...RUN, '--personality=LINUX32', ...show)).stdout, '00000008\n');
    const both = await tsman(...RUN, '--personality=ADDR_NO_RANDOMIZE', ...show);
    assert.is(both.stdout, '00040000\n');
    const wrong = await tsman(...RUN, '--personality=VMS', ...show);
    assert.is(wrong.exitCode, 125);
    assert.match(wrong.stderr, /VMS/);
    // The exec of such a container is of the same kind.
    await tsman(
      'run',
      '-d',
      '--name=c',
      '--network=none',
      '--personality=LINUX32',
      PROBE_IMAGE,
      'probe',
      'sleep',
    );
    assert.is((await tsman('exec', 'c', ...show.slice(1))).stdout, '00000008\n');
  }),
);

test.run();
