import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEBIAN_IMAGE, debianDirectory } from '../support/debian.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { runProgram } from '../support/programs.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman commit');

const CHANGES = `set -e
mkdir -p /data/d; echo hi > /data/a; ln /data/a /data/b; ln -s a /data/l; mkfifo /data/f
chown 8:8 /data/d; chmod 4755 /data/a; touch "/data/$(printf 'x\\377y')"
truncate -s 50M /data/sparse; printf mid | dd of=/data/sparse bs=1 seek=20000000 conv=notrunc status=none
rm /etc/motd; rm -r /usr/share/base-files; mkdir /usr/share/base-files; echo n > /usr/share/base-files/n
touch /etc/.wh.hosts`;
/** Everything about /data and what was hidden; devices and times of the machine are left out. */
const LOOK = `cd /data; find . -printf '%P %y %m %U:%G %s %l %n\\n' | LC_ALL=C sort; md5sum a sparse
ls /usr/share/base-files; test -e /etc/motd || echo no motd; test $(du -k sparse | cut -f1) -lt 100 && echo holes`;

async function loadDebian(tsman: Tsman): Promise<void> {
  const { exitCode, stderr } = await tsman(
    'load',
    '-i',
    join(await debianDirectory(), 'debian.tar'),
  );
  if (exitCode !== 0) throw new Error(stderr);
}

function look(tsman: Tsman, image: string): Promise<string> {
  return tsman('run', '--rm', '--network', 'none', image, 'bash', '-c', LOOK).then(
    ({ stdout, stderr }) => stdout + stderr,
  );
}

requires(
  test,
  'mmdebstrap',
  'subids',
)(
  'keeps links, owners, holes, whiteouts and opaque directories, squashed too, and umoci agrees',
  () =>
    withScratch(async (tsman, scratch) => {
      await loadDebian(tsman);
      const run = ['run', '--name', 'c', '--network', 'none', DEBIAN_IMAGE, 'bash', '-c', CHANGES];
      const made = await tsman(...run);
      assert.is(made.exitCode, 0, made.stderr);
      assert.is((await tsman('commit', '-q', 'c', 'new')).exitCode, 0);
      assert.is((await tsman('commit', '--squash', 'c', 'flat')).exitCode, 0);
      const seen = await look(tsman, 'new');
      assert.match(seen, /^b f 4755 0:0 3 {2}2$/m);
      assert.match(seen, /^d d 755 8:8/m);
      assert.match(seen, /^n\nno motd\nholes$/m);
      assert.is(await look(tsman, 'flat'), seen);
      const count = '{{len .RootFS.Layers}}';
      assert.is((await tsman('image', 'inspect', '-f', count, 'flat')).stdout, '1\n');
      assert.is((await tsman('image', 'inspect', '-f', count, 'new')).stdout, '4\n');
      // Nobody's work but ours: mount points, and a name that would hide a file.
      const diff = (await tsman('image', 'diff', 'new')).stdout;
      assert.not.match(diff, /hosts|resolv|containerenv|\/proc|\/dev/);
      assert.match(diff, /^D \/etc\/motd$/m);

      const archive = join(scratch.directory, 'new.tar');
      await tsman('save', '-q', '--format', 'oci-archive', '-o', archive, 'new');
      const layout = join(scratch.directory, 'layout');
      mkdirSync(layout);
      await runProgram('tar', ['-C', layout, '-xf', archive]);
      const reference = `${layout}:localhost/new:latest`;
      const bundle = join(scratch.directory, 'bundle');
      await runProgram('umoci', ['raw', 'unpack', '--rootless', '--image', reference, bundle]);
      const data = await runProgram('ls', ['-1', join(bundle, 'data')]);
      assert.equal(data.trim().split('\n').length, 7);
      assert.is(readFileSync(join(bundle, 'data/sparse')).indexOf('mid'), 20_000_000);
      await runProgram('skopeo', ['inspect', `oci:${reference}`]);
    }),
);

test('takes settings of the container and of --change, in both formats', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await tsman('create', '--name', 'c', '-e', 'A=1', '-u', 'alice', '-l', 'x=y', PROBE_IMAGE);
    const file = join(scratch.directory, 'id');
    for (const format of ['oci', 'docker']) {
      const made = await tsman(
        ...['commit', '-f', format, '-a', 'me', '-m', 'why', '--iidfile', file],
        ...['-c', 'ENV B=2', '-c', 'CMD ["/bin/probe","env"]', 'c', format],
      );
      assert.is(made.exitCode, 0, made.stderr);
      assert.is(readFileSync(file, 'utf8'), `sha256:${made.stdout.trim()}`);
      const [image] = JSON.parse((await tsman('image', 'inspect', format)).stdout);
      assert.ok(
        ['A=1', 'B=2', 'FROM_IMAGE=yes'].every((entry) => image.Config.Env.includes(entry)),
      );
      assert.not(image.Config.Env.some((entry: string) => /^(container|HOSTNAME)=/.test(entry)));
      assert.equal(
        [image.User, image.Labels.x, image.Author, image.Comment],
        ['alice', 'y', 'me', 'why'],
      );
      assert.match(image.ManifestType, format === 'oci' ? /oci/ : /docker/);
    }
    const bad = await tsman('commit', '-c', 'FROM x', 'c');
    assert.is(bad.exitCode, 125);
    assert.match((await tsman('system', 'check')).stdout, /^$/);
  }));

test.run();
