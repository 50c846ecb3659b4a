import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman run --mount');
const RUN = ['run', '--rm', '--network', 'none'];
const IMAGE = `type=image,src=${PROBE_IMAGE},dst=/i`;

requires(test, 'userns')('shows a part of an image, a directory or a file, and nothing else', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const show = (mount: string, ...command: string[]) =>
      tsman(...RUN, '--mount', mount, PROBE_IMAGE, '/bin/probe', ...command);
    const directory = await show(`${IMAGE},subpath=etc`, 'ls', '/i');
    assert.match(directory.stdout, /passwd/);
    const file = await show(`${IMAGE},subpath=etc/passwd`, 'cat', '/i');
    assert.match(file.stdout, /^root:x:0:0/);
    // It ends at the image's root.
    const above = await show(`${IMAGE},subpath=../../etc/passwd`, 'cat', '/i');
    assert.match(above.stdout, /^root:x:0:0:root:\/root:\/bin\/probe\n/);
    const missing = await show(`${IMAGE},subpath=nothing`, 'id');
    assert.is(missing.exitCode, 125);
    assert.match(missing.stderr, /subpath nothing: no such file or directory/);
    const write = await show(`${IMAGE},subpath=etc`, 'write', '/i/x', 'x');
    assert.match(write.stderr, /Read-only/);
  }),
);

requires(test, 'userns')('keeps an image that is mounted', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('create', '--name', 'base', PROBE_IMAGE, '/bin/probe');
    await tsman('commit', '--message', 'another', 'base', 'mounted');
    await tsman('create', '--name', 'one', '--mount', 'type=image,src=mounted,dst=/i', PROBE_IMAGE);
    const refused = await tsman('rmi', 'mounted');
    assert.is(refused.exitCode, 2);
    assert.match(refused.stderr, /is used by container/);
    await tsman('image', 'prune', '--all', '--force');
    assert.is((await tsman('image', 'exists', 'mounted')).exitCode, 0);
    await tsman('rm', 'one');
    assert.is((await tsman('rmi', 'mounted')).exitCode, 0);
  }),
);

requires(
  test,
  'user',
  'subids',
)('image and overlay mounts of a user namespace of its own have the owners of the image', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const host = scratch.makeDirectory('host');
    writeFileSync(join(host, 'file'), 'x');
    for (const mode of ['keep-id:uid=500,gid=500', 'auto:size=2000']) {
      const run = (user: string, mount: string, ...command: string[]) =>
        tsman(
          ...[...RUN, '--user', user, '--userns', mode, '--mount', mount],
          ...[PROBE_IMAGE, '/bin/probe', ...command],
        );
      // Hers, mode 0700; the other one is root's.
      const own = await run('alice', `${IMAGE},rw=true`, 'write', '/i/home/alice/x', 'x');
      assert.is(own.exitCode, 0, own.stderr);
      const roots = await run('alice', `${IMAGE},rw=true`, 'write', '/i/home/x', 'x');
      assert.is.not(roots.exitCode, 0);
      const over = await tsman(
        ...[...RUN, '--userns', mode, '--volume', `${host}:/h:O`],
        ...[PROBE_IMAGE, '/bin/probe', 'cat', '/h/file'],
      );
      assert.is(over.stdout, 'x');
    }
  }),
);

requires(test, 'userns')(
  'makes a volume with volume-opt and volume-label, and says so as an event',
  () =>
    withScratch(async (tsman) => {
      await loadProbe(tsman);
      const options = 'volume-opt=type=tmpfs,volume-opt=o=size=1m,volume-label=a=b';
      const mount = `type=volume,src=vol,dst=/v,${options}`;
      const run = await tsman(...RUN, '--mount', mount, PROBE_IMAGE, '/bin/probe', 'mounts');
      assert.match(run.stdout, / \/v .* - tmpfs tmpfs .*size=1024k/);
      const shown = await tsman(
        'volume',
        'inspect',
        '--format',
        '{{.Labels.a}} {{.Options.o}}',
        'vol',
      );
      assert.is(shown.stdout, 'b size=1m\n');
      await tsman('volume', 'rm', 'vol');
      const wrong = await tsman(
        'create',
        '--mount',
        'type=volume,dst=/v,volume-opt=x=y',
        PROBE_IMAGE,
      );
      assert.match(wrong.stderr, /no option "x"/);
      const secret = tsman.with({ stdin: 'x' });
      await secret('secret', 'create', 'word', '-');
      await tsman('secret', 'rm', 'word');
      const events = async (filter: string): Promise<string> => {
        const format = ['--format', '{{.Type}} {{.Status}} {{.Name}}'];
        return (await tsman('events', '--stream=false', '--filter', filter, ...format)).stdout;
      };
      assert.is(await events('volume=vol'), 'volume create vol\nvolume remove vol\n');
      assert.is(await events('type=secret'), 'secret create word\nsecret remove word\n');
    }),
);

requires(test, 'userns')('no-dereference shows a link of the host as a link', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const host = scratch.makeDirectory('host');
    // Leads to other files on the host and in the container.
    symlinkSync('/etc/passwd', join(host, 'link'));
    const show = async (...words: string[]): Promise<string> => {
      const mount = ['type=bind', `src=${host}/link`, 'dst=/shown', ...words].join();
      const command = ['/bin/probe', 'cat', '/shown'];
      return (await tsman(...RUN, '--mount', mount, PROBE_IMAGE, ...command)).stdout;
    };
    assert.match(await show('no-dereference'), /^alice:x:1000/m);
    assert.is(await show(), readFileSync('/etc/passwd', 'utf8'));
  }),
);

test.run();
