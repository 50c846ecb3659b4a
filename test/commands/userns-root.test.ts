import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rawTar } from '../support/layer-fixtures.ts';
import { packLayout, writeLayout } from '../support/oci-layout.ts';
import { loadProbe, PROBE_IMAGE, probeDirectory } from '../support/probe.ts';
import { runProgram } from '../support/programs.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';
import { until } from '../support/until.ts';

const test = suite('tsman, the root of a container with a user namespace of its own,');
const needs = requires(test, 'user', 'subids', 'fuse');
const WAYS = ['native', 'fuse-overlayfs'] as const;

/** A container that made /made as root and /home/alice/own as alice, in one of the two ways. */
async function changed(tsman: Tsman, way: string, name: string): Promise<void> {
  const common = ['--network', 'none', '--userns', 'keep-id:uid=1000,gid=1000'];
  const run = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await tsman('--storage-opt', `overlay.userns=${way}`, ...args);
    assert.is(exitCode, 0, stderr);
  };
  const [first, ...rest] = ['run', '-d', '--name', name, ...common, PROBE_IMAGE] as const;
  await run(first, ...rest, '/bin/probe', 'sleep', '100');
  for (const [user, file] of [
    ['0', '/made'],
    ['alice', '/home/alice/own'],
  ] as const)
    await run('exec', '--user', user, name, '/bin/probe', 'write', file, 'x');
}

/** `NAME UID/GID` of an archive's entries that match. */
async function owners(archive: string, names: RegExp): Promise<string[]> {
  const stdout = await runProgram('tar', ['--numeric-owner', '-tvf', archive]);
  return stdout
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter((words) => names.test(words[5] ?? ''))
    .map((words) => `${words[5]} ${words[1]}`)
    .sort();
}

const CHANGED = /^(made|home\/alice\/own|bin\/probe)$/;

for (const way of WAYS)
  needs(`${way}: what it writes has the owners of the image's ids in commit, export and cp`, () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      await changed(tsman, way, 'one');
      const shown = await tsman('inspect', '--format', '{{.Driver}}', 'one');
      assert.is(shown.stdout.trim(), way === 'native' ? 'overlay' : way);
      const wanted = ['bin/probe 0/0', 'home/alice/own 1000/1000', 'made 0/0'];
      const archive = join(scratch.directory, 'archive.tar');
      await tsman('export', '--output', archive, 'one');
      assert.equal(await owners(archive, CHANGED), wanted);
      assert.is((await tsman('commit', 'one', 'committed')).exitCode, 0);
      await tsman('create', '--name', 'two', 'committed', '/bin/probe');
      await tsman('export', '--output', archive, 'two');
      assert.equal(await owners(archive, CHANGED), wanted);
      writeFileSync(join(scratch.directory, 'in'), 'in');
      for (const state of ['running', 'stopped']) {
        const to = `one:/home/alice/${state}`;
        const copied = await tsman('cp', join(scratch.directory, 'in'), to);
        assert.is(copied.exitCode, 0, copied.stderr);
        writeFileSync(archive, (await tsman('cp', to, '-')).stdout);
        assert.equal(await owners(archive, /./), [`${state} 1000/1000`]);
        await tsman('stop', '-t', '0', 'one');
      }
      const diff = (await tsman('diff', 'one')).stdout;
      assert.match(diff, /^A \/made$/m);
      // fuse-overlayfs keeps marks of its own in the upper directory.
      assert.not.match(diff, /\.wh\./);
    }),
  );

needs('native: pruned layers are made again, and go with their image', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    const count = (): number => shiftedOf(root);
    const native = ['--storage-opt', 'overlay.userns=native'];
    const make = ['--network', 'none', '--userns', 'keep-id', PROBE_IMAGE, '/bin/probe', 'id'];
    await tsman(...native, 'run', '--rm', ...make);
    assert.is(count(), 1);
    // A second image of the same layers, and another container: nothing new.
    await tsman('tag', PROBE_IMAGE, 'other');
    await tsman(...native, 'create', '--name', 'kept', ...make);
    assert.is(count(), 1);
    await tsman('system', 'prune', '--external', '--force');
    assert.is(count(), 1, 'a container was made with it');
    await tsman('rm', 'kept');
    await tsman(...native, 'create', '--name', 'again', ...make);
    await tsman('unshare', 'rm', '-rf', join(root, 'layers-shifted'));
    assert.match((await tsman('start', '--attach', 'again')).stdout, /^\d+ /);
    assert.is(count(), 1);
    await tsman('rm', 'again');
    await tsman('rmi', '--force', 'other', PROBE_IMAGE);
    assert.is(count(), 0);
  }),
);

needs('what a killed shift leaves is nothing, and is swept', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    const run = ['run', '--rm', '--network', 'none', '--userns', 'keep-id', PROBE_IMAGE];
    const native = ['--storage-opt', 'overlay.userns=native'];
    await tsman(...native, ...run, '/bin/probe', 'id');
    const [map = ''] = readdirSync(join(root, 'layers-shifted'));
    const directory = join(root, 'layers-shifted', map);
    const [hex = ''] = readdirSync(directory).filter((name) => name.length === 64);
    // As if killed before the rename: half a tree under the name of a process that is gone.
    const partial = '.999999999-1-0123456789abcdef.partial';
    await tsman('unshare', 'mv', join(directory, hex), join(directory, partial));
    await tsman('unshare', 'rm', '-rf', join(directory, partial, 'bin'));
    const again = await tsman(...native, ...run, '/bin/probe', 'id');
    assert.is(again.exitCode, 0, again.stderr);
    assert.ok(existsSync(join(directory, hex, 'bin/probe')));
    await tsman('system', 'prune', '--external', '--force');
    assert.not.ok(existsSync(join(directory, partial)));
    assert.is((await tsman('system', 'check')).exitCode, 0);
  }),
);

needs('starts at once, and shifts the layers of a large image meanwhile', () =>
  withScratch(async (tsman, scratch) => {
    const tar = join(scratch.directory, 'many.tar');
    const many = Array.from({ length: 10_000 }, (_, i) => ({ name: `many/${i}`, content: 'x' }));
    writeFileSync(tar, rawTar({ name: 'many', type: '5' }, ...many));
    const layout = join(scratch.directory, 'many');
    const layers = [join(await probeDirectory(), 'layer.tar'), tar];
    await writeLayout(layout, {
      name: 'localhost/many:latest',
      layers: layers.map((path) => ({ tar: path, compression: 'none' as const })),
      config: { Env: ['PATH=/bin'] },
    });
    await packLayout(layout, `${layout}.tar`);
    await tsman('load', '--input', `${layout}.tar`);
    const names = ['--network', 'none', '--userns', 'keep-id', 'many', '/bin/probe', 'id'];
    const driver = async (name: string): Promise<string> => {
      const run = await tsman('run', '--name', name, ...names);
      assert.is(run.exitCode, 0, run.stderr);
      return (await tsman('inspect', '-f', '{{.Driver}}', name)).stdout.trim();
    };
    const first = await driver('first');
    // The agent goes on after the command that started it.
    await until('both layers are shifted', () => shiftedOf(scratch.root) >= 2);
    assert.is(await driver('second'), 'overlay');
    assert.is(first, 'fuse-overlayfs');
    // A container keeps its way.
    assert.is((await tsman('start', 'first')).exitCode, 0);
    assert.is((await tsman('inspect', '-f', '{{.Driver}}', 'first')).stdout.trim(), first);
  }),
);

/** How many layers have been shifted. */
function shiftedOf(root: string): number {
  const maps = join(root, 'layers-shifted');
  if (!existsSync(maps)) return 0;
  return readdirSync(maps)
    .flatMap((map) => readdirSync(join(maps, map)))
    .filter((name) => name.length === 64).length;
}

needs('refuses what is no way to put a root together', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const create = ['create', '--userns', 'keep-id', PROBE_IMAGE, '/bin/probe'];
    const wrong = await tsman('--storage-opt', 'overlay.userns=wat', ...create);
    assert.is(wrong.exitCode, 125);
    assert.match(wrong.stderr, /"wat" is none of auto, native, fuse-overlayfs/);
    const other = await tsman('--storage-opt', 'overlay.size=1g', ...create);
    assert.match(other.stderr, /overlay.size: the store has no such option/);
    // No copy of a layer can have an owner that the map does not have; fuse-overlayfs shows it somehow.
    const small = ['create', '--userns', 'auto:size=10', PROBE_IMAGE, '/bin/probe'];
    const outside = await tsman('--storage-opt', 'overlay.userns=native', ...small);
    assert.is(outside.exitCode, 125);
    assert.match(outside.stderr, /ERANGE/);
    assert.is((await tsman(...small)).exitCode, 0);
  }),
);

test.run();
