import { lstatSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman run --userns');
const RUN = ['run', '--rm', '--network', 'none'];

requires(
  test,
  'user',
  'subids',
)('exec enters a user namespace in which the caller is nobody', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    for (const mode of ['--userns=auto:size=2000', '--userns=nomap', '--uidmap=0:1:2000']) {
      const options = ['run', '-d', '--replace', '--name', 'c', '--network=none', mode];
      const started = await tsman(...options, PROBE_IMAGE, 'probe', 'sleep');
      assert.is(started.exitCode, 0, started.stderr);
      const root = await tsman('exec', 'c', 'probe', 'id');
      assert.match(root.stdout, /^0 0 0/, `${mode}: ${root.stderr}`);
      const user = await tsman('exec', '--user', '1000:50', 'c', 'probe', 'id');
      assert.match(user.stdout, /^1000 1000 50/, `${mode}: ${user.stderr}`);
    }
  }),
);

requires(
  test,
  'user',
  'subids',
  'fuse',
)("keep-id: the caller's files are the user's, the image's keep their owners", () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const host = scratch.makeDirectory('host');
    writeFileSync(join(host, 'file'), 'x');
    const options = ['--userns', 'keep-id:uid=1000,gid=1000', '-v', `${host}:/h`, PROBE_IMAGE];
    assert.match((await tsman(...RUN, ...options, '/bin/probe', 'id')).stdout, /^1000 1000 1000/);
    const write = await tsman(...RUN, ...options, '/bin/probe', 'write', '/h/new', 'x');
    assert.is(write.exitCode, 0, write.stderr);
    assert.is(lstatSync(join(host, 'new')).uid, process.getuid?.());
    const list = await tsman(...RUN, ...options, '/bin/probe', 'ls', '/home');
    assert.is(list.exitCode, 0);
  }),
);

requires(
  test,
  'user',
  'subids',
  'fuse',
)("/etc/hosts and its like are root's, at every start, and the caller has his name", () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const { username, uid, gid } = userInfo();
    const probe = [PROBE_IMAGE, '/bin/probe'];
    const keep = ['--userns', 'keep-id'];
    const passwd = (await tsman(...RUN, ...keep, ...probe, 'cat', '/etc/passwd')).stdout;
    assert.ok(
      passwd.includes(`\n${username}:*:${uid}:${gid}:`) || passwd.startsWith(username),
      passwd,
    );
    const own = await tsman(
      ...RUN,
      ...keep,
      '-v',
      '/etc/hosts:/etc/passwd',
      ...probe,
      'cat',
      '/etc/passwd',
    );
    assert.match(own.stdout, /localhost/, own.stderr);
    for (const readOnly of [[], ['--read-only']]) {
      const write = [...RUN, ...keep, ...readOnly, ...probe, 'write', '/etc/hosts', 'x'];
      assert.match((await tsman(...write)).stderr, /hosts: (Permission denied|Read-only)/);
    }
    for (const options of [
      [...keep, '--user', '0'],
      ['--userns', 'nomap'],
      ['--userns', 'auto'],
    ]) {
      const name = `box-${options[1]}`;
      const create = ['create', '--name', name, '--network', 'none', ...options, ...probe];
      assert.is((await tsman(...create, 'write', '/etc/hosts', 'x')).exitCode, 0);
      for (let start = 0; start < 2; start++) {
        const { exitCode, stderr } = await tsman('start', '-a', name);
        assert.is(exitCode, 0, `${name}: ${stderr}`);
      }
      assert.is((await tsman('rm', name)).exitCode, 0);
    }
  }),
);

requires(
  test,
  'user',
  'subids',
  'fuse',
)('nomap and auto: the caller has no id inside, and two containers share none', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const map = async (...options: string[]): Promise<string> => {
      const command = ['/bin/probe', 'cat', '/proc/self/uid_map'];
      const { stdout, stderr } = await tsman(...RUN, ...options, PROBE_IMAGE, ...command);
      assert.is(stderr, '');
      return stdout.trim().replace(/\s+/g, ' ');
    };
    assert.match(await map('--userns', 'nomap'), /^0 1 \d+$/);
    await tsman('create', '--userns', 'auto:size=500', PROBE_IMAGE, '/bin/probe', 'id');
    assert.is(await map('--userns', 'auto:size=2000'), '0 501 2000');
    assert.is(await map('--uidmap', '0:5:1000'), '0 5 1000');
  }),
);

requires(
  test,
  'user',
  'subids',
  'fuse',
)('maps users and groups each by itself, and lines among those of auto', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const maps = async (...options: string[]): Promise<string[]> => {
      const found: string[] = [];
      // One after the other: at the same time they would have different ids of `auto`.
      for (const file of ['/proc/self/uid_map', '/proc/self/gid_map']) {
        const command = ['/bin/probe', 'cat', file];
        const { stdout, stderr } = await tsman(...RUN, ...options, PROBE_IMAGE, ...command);
        assert.is(stderr, '');
        found.push(stdout.trim().replace(/ +/g, ' ').replace(/\n /g, ','));
      }
      return found;
    };
    const same = await maps('--uidmap', '0:5:1000');
    assert.equal(same, ['0 5 1000', '0 5 1000']);
    const [uids, gids] = await maps('--uidmap', 'u0:5:1000');
    assert.is(uids, '0 5 1000');
    // The caller's id and the subordinate ones are two lines of the kernel's.
    assert.match(gids ?? '', /^0 0 1,1 1 \d{5,}/);
    assert.equal(
      await maps('--uidmap', '0:5:1000', '--gidmap', '0:7:1000', '--uidmap', 'g1000:0:1'),
      ['0 5 1000', '0 7 1000,1000 0 1'],
    );
    const auto = 'auto:size=2000,uidmapping=100:0:1';
    assert.equal(await maps('--userns', auto), ['0 1 100,100 0 1,101 101 1899', '0 1 2000']);
    // As many as the image's users need, at least 1024.
    assert.equal(await maps('--userns', 'auto'), ['0 1 1024', '0 1 1024']);
  }),
);

requires(
  test,
  'user',
  'subids',
  'fuse',
)("joins another container's user namespace, by its name and by a path", () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const command = [PROBE_IMAGE, '/bin/probe'];
    await tsman('run', '-d', '--name', 'one', '--userns', 'keep-id', ...command, 'sleep', '60');
    const pid = (await tsman('inspect', '-f', '{{.State.Pid}}', 'one')).stdout.trim();
    const map = async (mode: string): Promise<string> => {
      const run = [...RUN, '--user', '0', '--userns', mode, ...command];
      const write = await tsman(...run, 'write', '/made', 'x');
      assert.is(write.exitCode, 0, `${mode}: ${write.stderr}`);
      return (await tsman(...run, 'cat', '/proc/self/uid_map')).stdout;
    };
    const own = await tsman('exec', 'one', '/bin/probe', 'cat', '/proc/self/uid_map');
    assert.is(await map('container:one'), own.stdout);
    assert.is(await map(`ns:/proc/${pid}/ns/user`), own.stdout);
    await tsman('run', '-d', '--name', 'plain', ...command, 'sleep', '60');
    assert.match(await map('container:plain'), /^ +0 +\d+ +1\n/);
    await tsman('rm', '-f', '-t', '0', 'one', 'plain');
  }),
);

requires(
  test,
  'user',
  'subids',
)('refuses maps that are not ours, with a reason', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const create = async (...options: string[]): Promise<string> =>
      (await tsman('create', ...options, PROBE_IMAGE, '/bin/probe')).stderr;
    assert.match(await create('--uidmap', '0:@0:10'), /not yours to map/);
    assert.match(await create('--uidmap', '1:1:10'), /0 must be mapped/);
    assert.match(await create('--userns', 'wat'), /unknown mode/);
    assert.match(await create('--userns', 'auto:uidmapping=0:99999999:5'), /is not yours/);
    assert.match(await create('--userns', 'auto:wat=1'), /unknown "wat=1"/);
  }),
);

test.run();
