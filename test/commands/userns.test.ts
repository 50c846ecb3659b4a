import { lstatSync, writeFileSync } from 'node:fs';
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
)('refuses maps that are not ours, with a reason', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const create = async (...options: string[]): Promise<string> =>
      (await tsman('create', ...options, PROBE_IMAGE, '/bin/probe')).stderr;
    assert.match(await create('--uidmap', '0:@0:10'), /not yours to map/);
    assert.match(await create('--uidmap', '1:1:10'), /0 must be mapped/);
    assert.match(await create('--userns', 'wat'), /unknown mode/);
    assert.match(await create('--uidmap', 'u0:0:10'), /flags u and g are not supported/);
  }),
);

test.run();
