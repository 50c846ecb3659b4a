import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EVIL, link, loadEvil } from '../support/evil-image.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman, hostile mount points');
const RUN = ['run', '--rm', '--network', 'none'];
for (const userns of ['', 'keep-id'])
  requires(
    test,
    'user',
    'subids',
  )(
    `a directory and a link swapped during the mount lead nowhere else (CVE-2021-30465)${userns && `, with ${userns}`}`,
    () =>
      withScratch(async (tsman, scratch) => {
        await loadProbe(tsman);
        const outside = scratch.makeDirectory('outside');
        const shared = scratch.makeDirectory('shared');
        const payload = scratch.makeDirectory('payload');
        mkdirSync(join(shared, 'a'));
        // Where a path that leaves the container's root would end; in the container there is no such place.
        symlinkSync(`../../../../../../../../..${outside}`, join(shared, 'b'));
        const swapper = ['/bin/probe', 'swap', '/v/a', '/v/b'];
        const volume = ['-v', `${shared}:/v`];
        await tsman('run', '-d', '--name', 'swapper', ...volume, PROBE_IMAGE, ...swapper);
        const options = userns === '' ? [] : ['--userns', userns, '--user', '0'];
        const targets = ['-v', `${payload}:/v/a/made/deep`, '-v', 'named:/v/a/named'];
        let started = 0;
        for (let i = 0; i < 20; i++) {
          const run = [...RUN, ...options, ...volume, ...targets, '--workdir', '/v/a/cwd'];
          const { exitCode, stderr } = await tsman(...run, PROBE_IMAGE, '/bin/probe', 'mounts');
          // Refused is as good as started: the place was gone at that moment.
          if (exitCode === 0) started++;
          else assert.match(stderr, /^Error: start container /m, String(exitCode));
          assert.equal(readdirSync(outside), []);
        }
        assert.match((await tsman('logs', 'swapper')).stdout, /swapping/);
        assert.is(
          (await tsman('inspect', '-f', '{{.State.Status}}', 'swapper')).stdout,
          'running\n',
        );
        assert.ok(started > 0, 'none started: nothing was shown');
        await tsman('rm', '-f', '-t', '0', 'swapper');
        // Of ids that only the user namespace may remove.
        await tsman('unshare', 'rm', '-rf', shared);
      }),
  );

requires(test, 'userns')("an image's links at mount points stay inside", () =>
  withScratch(async (tsman, scratch) => {
    const outside = scratch.makeDirectory('outside');
    const payload = scratch.makeDirectory('payload');
    writeFileSync(join(payload, 'file'), 'payload');
    const up = `../../../../../../../..${outside}`;
    await loadEvil(
      tsman,
      scratch,
      link('data', `${outside}/data`),
      link('up', up),
      link('dev', outside),
      link('work', up),
      link('etc/hosts', `${outside}/hosts`),
      link('etc/resolv.conf', `${up}/resolv.conf`),
    );
    const mounts = ['-v', `${payload}:/data`, '-v', 'named:/up/named', '--tmpfs', '/up/tmp'];
    const secret = tsman.with({ stdin: 'x' });
    await secret('secret', 'create', 'word', '-');
    const options = [...mounts, '--secret', 'word,target=/up/secret', '--workdir', '/work/here'];
    const run = await tsman(...RUN, ...options, EVIL, '/bin/probe', 'cat', '/data/file');
    assert.is(run.stdout, 'payload', run.stderr);
    assert.equal(readdirSync(outside), []);
    await tsman('create', '--name', 'one', ...options, EVIL);
    for (const path of ['/up/copied', '/dev/copied', '/etc/hosts'])
      await tsman('cp', join(payload, 'file'), `one:${path}`);
    assert.equal(readdirSync(outside), []);
  }),
);

requires(test, 'userns')('refuses /proc, /sys and working directories that are links', () =>
  withScratch(async (tsman, scratch) => {
    const outside = scratch.makeDirectory('outside');
    // CVE-2019-19921, CVE-2019-16884.
    for (const [name, target] of [
      ['proc', '/tmp'],
      ['proc', outside],
      ['sys', '/tmp'],
    ] as const) {
      await loadEvil(tsman, scratch, { name, type: '2', link: target });
      const { exitCode, stderr } = await tsman(...RUN, EVIL);
      assert.ok(exitCode === 125 || exitCode === 126, `${name} -> ${target}: ${exitCode}`);
      assert.match(stderr, new RegExp(`^Error: start container .*/${name}`, 'm'));
      assert.equal(readdirSync(outside), []);
    }
    // CVE-2024-21626: descriptors of the host that the container's process still has.
    await loadEvil(tsman, scratch, { name: 'wd', type: '2', link: '/proc/self/fd' });
    for (const fd of [3, 5, 7, 8, 9, 560, 600])
      for (const path of [`/proc/self/fd/${fd}`, `/wd/${fd}`]) {
        const run = await tsman(...RUN, '-w', path, EVIL, '/bin/probe', 'where');
        if (run.exitCode === 0) assert.not.match(run.stdout, /unreachable|\.\./);
        else assert.match(run.stderr, /^Error: start container .*cwd/m);
      }
  }),
);

test.run();
