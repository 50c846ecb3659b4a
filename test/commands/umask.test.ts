import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';

const test = suite('tsman under a strict umask');

requires(test, 'userns')(
  'makes roots, volumes and files that every user of a container can read',
  () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      const run = (...words: string[]) =>
        execa('sh', ['-c', 'umask 077; exec "$@"', 'sh', tsmanPath(), ...words], {
          env: tsmanEnv(scratch),
          stdin: 'ignore',
          timeout: 60_000,
          reject: false,
        });
      const options = ['--rm', '--network', 'none', '--user', '5', '-v', '/data', '-v', '/a/b'];
      const probe = [...options, PROBE_IMAGE, '/bin/probe'];
      for (const path of ['/etc/hosts', '/etc/passwd']) {
        const { exitCode, stdout, stderr } = await run('run', ...probe, 'cat', path);
        assert.is(exitCode, 0, stderr);
        assert.ok(stdout.length > 0);
      }
      // `/a`, which the mount needed, is open to everybody.
      assert.is((await run('run', ...probe, 'write', '/a/b/file', 'x')).exitCode, 0);
    }),
);

test.run();
