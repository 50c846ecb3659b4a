import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman volume');
const RUN = ['run', '--rm', '--network', 'none'];

requires(test, 'userns')('fills a new volume from the image once, with its owner and mode', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    const mount = ['-v', 'data:/etc', '-v', 'home:/home/alice'];
    const first = await tsman(...RUN, ...mount, PROBE_IMAGE, '/bin/probe', 'cat', '/etc/group');
    assert.match(first.stdout, /alice/);
    assert.is(first.exitCode, 0);
    writeFileSync(join(root, 'volumes/data/_data/group'), 'changed\n');
    // CVE-2020-1726: what is in a used volume is not written over.
    const second = await tsman(...RUN, ...mount, PROBE_IMAGE, '/bin/probe', 'cat', '/etc/group');
    assert.is(second.stdout, 'changed\n');
    const owner = await tsman('unshare', 'stat', '-c', '%u %a', join(root, 'volumes/home/_data'));
    assert.is(owner.stdout, '1000 700\n');
  }),
);

requires(test, 'userns')('removes anonymous volumes with a --rm container and with rm -v', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    await tsman(...RUN, '-v', '/data', PROBE_IMAGE, '/bin/probe', 'id');
    assert.is((await tsman('volume', 'ls', '--quiet')).stdout, '');
    await tsman('create', '--name', 'one', '-v', '/data', PROBE_IMAGE);
    const name = (await tsman('volume', 'ls', '--quiet')).stdout.trim();
    assert.match(name, /^[0-9a-f]{64}$/);
    const refused = await tsman('volume', 'rm', name);
    assert.is(refused.exitCode, 125);
    assert.match(refused.stderr, /is used by container/);
    await tsman('rm', '-v', 'one');
    assert.not.ok(existsSync(join(root, 'volumes', name)));
  }),
);

requires(test, 'userns')('keeps an anonymous volume that another container has, too', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('create', '--rm', '--name', 'one', '-v', '/data', PROBE_IMAGE, '/bin/probe', 'id');
    await tsman('create', '--name', 'two', '--volumes-from', 'one:ro', PROBE_IMAGE);
    await tsman('start', '--attach', 'one');
    assert.is((await tsman('volume', 'ls', '--quiet')).stdout.trim().length, 64);
  }),
);

requires(test, 'userns')('an archive in a volume does not reach outside through its links', () =>
  withScratch(async (tsman, scratch) => {
    const outside = join(scratch.makeDirectory('outside'), 'file');
    const { rawTar } = await import('../support/layer-fixtures.ts');
    const tar = rawTar(
      { name: 'link', type: '2', link: scratch.directory },
      { name: 'link/outside/file', content: 'evil' },
    );
    await tsman('volume', 'create', 'data');
    await tsman.with({ stdin: tar })('volume', 'import', 'data', '-');
    assert.not.ok(existsSync(outside));
  }),
);

test('a missing host path, an unknown word and idmap are refused with a hint', () =>
  withScratch(async (tsman) => {
    const missing = await tsman('create', '-v', '/nowhere:/x', 'none');
    assert.is(missing.exitCode, 125);
    assert.match(missing.stderr, /no such file or directory\nhint: create it first/);
    assert.match((await tsman('create', '-v', 'a:/x:idmap', 'none')).stderr, /keep-id/);
    assert.match((await tsman('create', '-v', 'a:/x:wat', 'none')).stderr, /"wat"/);
  }));

requires(test, 'userns')(
  'O keeps changes away from the source; a subpath stays in its volume',
  () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      const host = scratch.makeDirectory('host');
      writeFileSync(join(host, 'file'), 'host\n');
      await tsman(...RUN, '-v', `${host}:/h:O`, PROBE_IMAGE, '/bin/probe', 'write', '/h/file', 'x');
      assert.is(readFileSync(join(host, 'file'), 'utf8'), 'host\n');
      await tsman('volume', 'create', 'data');
      const { rawTar } = await import('../support/layer-fixtures.ts');
      const tar = rawTar({ name: 'out', type: '2', link: '/etc' }, { name: 'in', type: '5' });
      await tsman.with({ stdin: tar })('volume', 'import', 'data', '-');
      const mount = 'type=volume,src=data,dst=/sub,subpath=';
      const out = await tsman(...RUN, '--mount', `${mount}out`, PROBE_IMAGE, '/bin/probe', 'id');
      assert.is(out.exitCode, 125);
      const inside = await tsman(...RUN, '--mount', `${mount}in`, PROBE_IMAGE, '/bin/probe', 'id');
      assert.is(inside.exitCode, 0);
    }),
);

requires(test, 'userns')('copies up hard links, holes, xattrs and times as they are', () =>
  withScratch(async (tsman, { root, directory }) => {
    await loadProbe(tsman);
    const { rawTar } = await import('../support/layer-fixtures.ts');
    const { truncateSync, appendFileSync } = await import('node:fs');
    const tar = rawTar(
      { name: 'one', content: 'x' },
      { name: 'two', type: '1', link: 'tmp/../one' },
    );
    await tsman('create', '--name', 'base', PROBE_IMAGE, '/bin/probe');
    await tsman.with({ stdin: tar })('cp', '-', 'base:/tmp');
    const holes = join(directory, 'holes');
    writeFileSync(holes, '');
    truncateSync(holes, 8 << 20);
    appendFileSync(holes, 'end');
    await tsman('cp', holes, 'base:/tmp/holes');
    const upper = `${(await tsman('inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'base')).stdout.trim()}/tmp`;
    const marked = await tsman(
      'unshare',
      'setfattr',
      '-n',
      'user.mark',
      '-v',
      'here',
      `${upper}/one`,
    );
    assert.is(marked.exitCode, 0, marked.stderr);
    await tsman('commit', 'base', 'linked');
    await tsman(...RUN, '-v', 'data:/tmp', 'linked', '/bin/probe', 'id');
    const data = join(root, 'volumes/data/_data');
    const stat = (name: string, format: string) =>
      tsman('unshare', 'stat', '-c', format, join(data, name)).then(({ stdout }) => stdout.trim());
    assert.is(await stat('one', '%h %i'), await stat('two', '%h %i'));
    assert.match(await stat('one', '%h'), /^2$/);
    const [size = 0, blocks = 0] = (await stat('holes', '%s %b')).split(' ').map(Number);
    assert.is(size, (8 << 20) + 3);
    assert.ok(blocks < 100, `${blocks} blocks`);
    const mark = await tsman(
      'unshare',
      'getfattr',
      '--only-values',
      '-n',
      'user.mark',
      join(data, 'one'),
    );
    assert.is(mark.stdout, 'here');
    assert.is(await stat('.', '%a'), '1777');
  }),
);

requires(
  test,
  'user',
  'subids',
)('fills new volumes of nomap and auto containers as well', () =>
  withScratch(async (tsman, { root }) => {
    await loadProbe(tsman);
    for (const [i, mode] of ['nomap', 'auto:size=2000'].entries()) {
      const volumes = ['-v', `etc${i}:/etc`, '-v', `home${i}:/home/alice`, '-v', `new${i}:/new`];
      const options = [...RUN, '--user', 'alice', '--userns', mode, ...volumes, PROBE_IMAGE];
      const group = await tsman(...options, '/bin/probe', 'cat', '/etc/group');
      assert.match(group.stdout, /alice/, group.stderr);
      for (const place of ['/home/alice/x', '/new/x']) {
        const write = await tsman(...options, '/bin/probe', 'write', place, 'x');
        assert.is(write.exitCode, 0, `${mode} ${place}: ${write.stderr}`);
      }
      // 1000 in there is the 1001st of our ids.
      const owner = await tsman(
        'unshare',
        'stat',
        '-c',
        '%u %a',
        join(root, `volumes/home${i}/_data`),
      );
      assert.is(owner.stdout, '1001 700\n');
    }
  }),
);

test.run();
