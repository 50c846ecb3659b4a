import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { runProgram } from '../support/programs.ts';
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

/** Changes in the unpacked layer of an image; what check has to say about each. */
const LAYER_DAMAGES: readonly (readonly [change: string, said: RegExp])[] = [
  ['rm etc/motd', /"etc\/motd" is missing/],
  ['echo x > etc/new', /"etc\/new" is not in the layer's blob/],
  [
    'touch -r etc/motd stamp; echo HELLO > etc/motd; touch -r stamp etc/motd; rm stamp',
    /"etc\/motd" has other content/,
  ],
  ['chmod 777 etc/motd', /"etc\/motd" has mode 100777, want 100644/],
  ['chown 3:4 etc/motd', /"etc\/motd" has owner 3:4, want 0:0/],
  ['touch etc/motd', /"etc\/motd" has mtime/],
  ['rm etc/motd; mkdir etc/motd', /"etc\/motd" has mode 40755/],
  ['ln -sfn /tmp etc/link', /"etc\/link" has target|"etc\/link" has mtime/],
  ['cp -p other two; mv two other', /"other" has 1 links, want 2/],
  ['truncate -s 70000 big', /"big" has size 70000, want 100000/],
];

test('check finds every change of an unpacked layer, and repair undoes it', () =>
  withScratch(async (tsman, { root, directory }) => {
    const tree = join(directory, 'tree');
    const script = `mkdir -p ${tree}/etc; cd ${tree}; echo hello > etc/motd; ln -s motd etc/link;
      echo 1 > one; ln one other; truncate -s 100000 big; chmod 644 etc/motd; tar -cf ../tree.tar --owner=0 --group=0 .`;
    await runProgram('sh', ['-c', script]);
    await tsman('import', '-q', join(directory, 'tree.tar'), 'mine');
    const [layer = ''] = readdirSync(join(root, 'layers'));
    for (const [change, said] of LAYER_DAMAGES) {
      const { stderr } = await tsman(
        'unshare',
        'sh',
        '-c',
        `cd ${root}/layers/${layer}; ${change}`,
      );
      assert.is(stderr, '', change);
      assert.is((await tsman('system', 'check', '--quick')).exitCode, 0, change);
      const found = await tsman('system', 'check');
      assert.is(found.exitCode, 125, change);
      assert.match(found.stdout, said);
      const mended = await tsman('system', 'check', '-r');
      assert.equal([mended.exitCode, mended.stderr], [0, ''], change);
      assert.is((await tsman('system', 'check')).stdout, '');
    }
    assert.equal(readdirSync(join(root, 'layers')), [layer]);
  }));

test('check leaves a damaged layer to a container that runs on it', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    await tsman(...RUN, '-d', '--name', 'c', PROBE_IMAGE, '/bin/probe', 'sleep', '60');
    const [layer = ''] = readdirSync(join(root, 'layers'));
    await tsman('unshare', 'touch', join(root, 'layers', layer, 'new'));
    const { exitCode, stdout } = await tsman('system', 'check', '-r');
    assert.is(exitCode, 125);
    assert.match(
      stdout,
      /"new" is not in the layer's blob; container c runs on it: stop it first\n$/,
    );
    await tsman('rm', '-f', 'c');
    assert.is((await tsman('system', 'check', '-r')).exitCode, 0);
    assert.not.ok(existsSync(join(root, 'layers', layer, 'new')));
  }));

test('check takes what no image has had for --max as damage', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    const stray = join(root, 'layers', 'a'.repeat(64));
    mkdirSync(stray);
    assert.is((await tsman('system', 'check')).exitCode, 0);
    const found = await tsman('system', 'check', '--max', '1ms');
    assert.is(found.exitCode, 125);
    assert.match(found.stdout, /^layer sha256:a+ belongs to no image$/m);
    assert.is((await tsman('system', 'check', '--max', '1ms', '-r')).exitCode, 0);
    assert.not.ok(existsSync(stray));
    assert.match((await tsman('system', 'check', '--max', 'soon')).stderr, /not a duration/);
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
