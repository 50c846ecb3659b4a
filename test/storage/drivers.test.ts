// timeout: 600
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEBIAN_IMAGE, debianDirectory } from '../support/debian.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { loadProbe, PROBE_IMAGE, probeDirectory } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { writeTar } from '../support/tar.ts';

const test = suite('storage driver');

const WRITE =
  'echo hi > /new; chown 8:8 /new; rm /etc/motd; rm -r /usr/share/base-files; mkdir /usr/share/base-files; echo x >> /etc/hostname2';

for (const driver of ['overlay', 'fuse-overlayfs', 'vfs'] as const) {
  const needs = driver === 'fuse-overlayfs' ? (['fuse'] as const) : [];
  requires(
    test,
    'mmdebstrap',
    'subids',
    ...needs,
  )(`${driver} runs, keeps, shows and commits changes`, () =>
    withScratch(async (plain) => {
      const tsman = plain.with({ env: { TSMAN_STORAGE_DRIVER: driver } });
      const load = await tsman('load', '-i', join(await debianDirectory(), 'debian.tar'));
      assert.is(load.exitCode, 0, load.stderr);
      const options = ['--name', 'c', '--network', 'none'];
      const run = await tsman('run', ...options, DEBIAN_IMAGE, 'bash', '-c', WRITE);
      assert.is(run.exitCode, 0, run.stderr);
      const diff = (await tsman('diff', 'c')).stdout;
      assert.match(diff, /^A \/new$/m);
      assert.match(diff, /^D \/etc\/motd$/m);
      assert.not.match(diff, /resolv|\/proc|\.wh\./);
      // Stopped: removed and replaced things as the container left them, and a file that it then finds.
      assert.is((await tsman('cp', 'c:/etc/motd', '-')).exitCode, 125);
      const replaced = (await tsman('cp', 'c:/usr/share/base-files', '-')).stdout;
      assert.is(replaced.replaceAll(/[^ -~]/g, '').match(/base-files\//g)?.length, 1);
      assert.is((await tsman('cp', 'c:/new', 'c:/etc/motd')).exitCode, 0);
      assert.is((await tsman('commit', '-q', 'c', 'made')).exitCode, 0);
      const look = 'stat -c %U /new; ls /usr/share/base-files; cat /etc/motd';
      for (const reader of [tsman, plain.with({ env: { TSMAN_STORAGE_DRIVER: 'overlay' } })]) {
        const seen = await reader('run', '--rm', '--network', 'none', 'made', 'bash', '-c', look);
        assert.is(seen.stdout, 'mail\nhi\n', seen.stderr);
      }
      const start = await tsman('start', '-a', 'c');
      assert.is(start.stderr, '');
      const rm = await tsman('rm', '-f', 'c');
      assert.is(rm.exitCode, 0, rm.stderr);
      assert.is((await tsman('system', 'check')).exitCode, 0);
    }),
  );
}

test('an unknown one is refused', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const { exitCode, stderr } = await tsman('--storage-driver', 'zfs', 'create', PROBE_IMAGE);
    assert.is(exitCode, 125);
    assert.match(stderr, /there are overlay, fuse-overlayfs, vfs/);
  }));

/** An archive whose image has so many layers; each changes `last` and has a file of its own. */
async function layeredArchive(scratch: Scratch, count: number): Promise<string> {
  const layers = [{ tar: join(await probeDirectory(), 'layer.tar'), compression: 'gzip' as const }];
  for (let layer = 1; layer < count; layer++) {
    const tar = join(scratch.directory, `${layer}.tar`);
    const content = String(layer);
    await writeTar(tar, [
      { name: 'last', content },
      { name: `dir/only-${layer}`, content },
    ]);
    layers.push({ tar, compression: 'gzip' });
  }
  const layout = scratch.makeDirectory('layout');
  await writeLayout(layout, { name: 'tall', layers, config: { Cmd: ['/bin/probe', 'id'] } });
  return layout;
}

for (const driver of ['overlay', 'fuse-overlayfs', 'vfs'] as const)
  requires(
    test,
    'subids',
    ...(driver === 'fuse-overlayfs' ? (['fuse'] as const) : []),
  )(`${driver} takes forty layers`, () =>
    withScratch(async (plain, scratch) => {
      const tsman = plain.with({ env: { TSMAN_STORAGE_DRIVER: driver } });
      await tsman('load', '-q', '-i', await layeredArchive(scratch, 40));
      const run = await tsman('run', '--name', 'c', '--network', 'none', 'tall');
      assert.is(run.exitCode, 0, run.stderr);
      const list = (await tsman('export', 'c')).stdout;
      assert.ok(/(^|\0)last\0.{507}39\0/s.test(list));
      const copied = await tsman('cp', 'c:/last', '-');
      assert.ok(/^last\0.{507}39\0/s.test(copied.stdout), copied.stderr);
      for (let layer = 1; layer < 40; layer++) assert.ok(list.includes(`dir/only-${layer}\0`));
    }),
  );

test('overlay takes a hundred layers', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    let image: string = PROBE_IMAGE;
    for (let layer = 0; layer < 100; layer++) {
      const name = `l${layer}`;
      const run = ['run', '--name', name, '--network', 'none', '-w', `/dir${layer}`, image];
      const { exitCode, stderr } = await tsman(...run, '/bin/probe', 'id');
      assert.is(exitCode, 0, `layer ${layer}: ${stderr}`);
      image = (await tsman('commit', '-q', '-c', 'WORKDIR /', name)).stdout.trim();
      await tsman('rm', name);
    }
    const count = await tsman('image', 'inspect', '-f', '{{len .RootFS.Layers}}', image);
    assert.is(count.stdout, '101\n');
    assert.is(
      (await tsman('run', '--rm', '--network', 'none', image, '/bin/probe', 'id')).exitCode,
      0,
    );
  }));

test.run();
