import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman system');
const RUN = ['run', '--network', 'none'] as const;

test('df counts what images share once, and finds what nobody has', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    const size = async (type: string): Promise<number> => {
      const { stdout } = await tsman('system', 'df', '--format', '{{.Type}}:{{.RawSize}}');
      return Number(new RegExp(`^${type}:(\\d+)$`, 'm').exec(stdout)?.[1]);
    };
    const alone = await size('Images');
    await tsman(...RUN, '--name', 'c', PROBE_IMAGE);
    await tsman('commit', '-q', 'c', 'other');
    const both = await size('Images');
    assert.ok(both > alone && both < 1.2 * alone, `${alone} ${both}`);
    assert.is(await size('Unreferenced'), 0);
    mkdirSync(join(root, 'trash/abc'), { recursive: true });
    assert.ok((await size('Unreferenced')) > 0);
    const verbose = (await tsman('system', 'df', '-v')).stdout;
    assert.match(verbose, /localhost\/other +latest/);
    await tsman('system', 'prune', '-af');
    assert.is(await size('Images'), 0);
    assert.is(await size('Unreferenced'), 0);
  }));

test('prune keeps what runs, is named, or does not match', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    await tsman(...RUN, '-d', '--name', 'runs', PROBE_IMAGE, '/bin/probe', 'sleep', '60');
    await tsman(...RUN, '--name', 'ended', '-l', 'keep=1', PROBE_IMAGE);
    await tsman('commit', '-q', 'ended');
    await tsman('system', 'prune', '-f', '--filter', 'label!=keep');
    assert.match((await tsman('ps', '-aq')).stdout, /^\w+\n\w+\n$/);
    const young = join(root, 'containers/young');
    mkdirSync(young);
    mkdirSync(join(root, 'containers/old'));
    utimesSync(join(root, 'containers/old'), 0, 0);
    const { stdout } = await tsman('system', 'prune', '-f');
    assert.match(
      stdout,
      /^Deleted Containers\n\w{64}\nDeleted Images\n\w{64}\nTotal reclaimed space/m,
    );
    assert.is((await tsman('ps', '-a', '--format', '{{.Names}}')).stdout, 'runs\n');
    assert.ok(existsSync(young) && !existsSync(join(root, 'containers/old')));
    rmSync(young, { recursive: true });
    assert.is((await tsman('image', 'exists', PROBE_IMAGE)).exitCode, 0);
  }));

test('check finds damage, and repair mends or removes', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    assert.is((await tsman('system', 'check')).exitCode, 0);
    const [layer = ''] = readdirSync(join(root, 'layers'));
    await tsman('unshare', 'rm', '-rf', join(root, 'layers', layer));
    const missing = await tsman('system', 'check', '--quick');
    assert.is(missing.exitCode, 125);
    assert.match(missing.stdout, /is not unpacked/);
    const mended = await tsman('system', 'check', '--repair');
    assert.is(mended.exitCode, 0, mended.stderr);
    assert.match(mended.stdout, /^unpacked layer sha256:\w+ again$/m);
    assert.is((await tsman(...RUN, '--rm', PROBE_IMAGE)).exitCode, 0);

    const blob = (await tsman('image', 'inspect', '-f', '{{.Id}}', PROBE_IMAGE)).stdout.trim();
    truncateSync(join(root, 'images/blobs/sha256', blob), 10);
    const damaged = await tsman('system', 'check');
    assert.is(damaged.exitCode, 125);
    assert.match(damaged.stdout, /is damaged/);
    const removed = await tsman('system', 'check', '--repair');
    assert.match(removed.stdout, /^removed image localhost\/probe:latest; pull or load it again$/m);
    assert.is((await tsman('system', 'check')).exitCode, 0);
    await loadProbe(tsman);
    assert.is((await tsman(...RUN, '--rm', PROBE_IMAGE)).exitCode, 0);
  }));

test('reset ends and removes everything, on a store of an older version too', () =>
  withScratch(async (tsman, { root, runRoot }) => {
    await loadProbe(tsman);
    await tsman(...RUN, '-d', PROBE_IMAGE, '/bin/probe', 'sleep', '60');
    const database = new DatabaseSync(join(root, 'db.sqlite'));
    database.exec('PRAGMA user_version=1');
    database.close();
    const { exitCode, stderr } = await tsman('images');
    assert.is(exitCode, 125);
    assert.match(
      stderr,
      /^Error: .* was written by an older tsman \(schema 1, this one needs \d+\)\nhint: /,
    );
    assert.is((await tsman('system', 'reset', '-f')).exitCode, 0);
    assert.equal([...readdirSync(root), ...readdirSync(runRoot)], []);
    assert.is((await tsman('images', '-q')).stdout, '');
  }));

test.run();
