// run: root
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';

const test = suite('tsman doctor');

test('says the same as JSON, and exits 1 exactly when something is missing', () =>
  withScratch(async (tsman) => {
    const { stdout, exitCode } = await tsman('doctor', '--json');
    const results: { check: string; verdict: string }[] = JSON.parse(stdout);

    assert.is(exitCode, results.some(({ verdict }) => verdict === 'missing') ? 1 : 0);
    assert.ok(results.some(({ check }) => check === 'overlay'));
    const text = (await tsman('doctor')).stdout;
    for (const { check, verdict } of results)
      assert.match(text, new RegExp(`^${verdict} +${check}`, 'm'));
  }));

/** What doctor says in a mount namespace where `script` broke something. */
function doctorAfter(script: string): { status: number | null; stdout: string } {
  const line = `${script} && exec "$0" doctor --quiet`;
  return spawnSync('unshare', ['--mount', 'sh', '-c', line, tsmanPath()], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

requires(test, 'root')('finds that /dev/net/tun is gone from a real machine', () => {
  const { status, stdout } = doctorAfter('mount -t tmpfs none /dev/net');

  assert.is(status, 1);
  assert.match(stdout, /^missing +\/dev\/net\/tun +there is no \/dev\/net\/tun/m);
});

requires(test, 'root')('finds a data root on a file system mounted noexec', () => {
  const { status, stdout } = doctorAfter(
    'mkdir -p /var/lib/tsman && mount -t tmpfs -o noexec none /var/lib/tsman',
  );

  assert.is(status, 1);
  assert.match(stdout, /fix: sudo mount -o remount,exec \/var\/lib\/tsman$/m);
});

requires(test, 'root')('finds a full disk', () => {
  const { status, stdout } = doctorAfter(
    'mkdir -p /var/lib/tsman && mount -t tmpfs -o size=1m none /var/lib/tsman',
  );

  assert.is(status, 1);
  assert.match(stdout, /^missing +disk space .* MiB left\n +fix: tsman system prune$/m);
});

requires(test, 'root')("is quoted by the error of a container's start", () =>
  withScratch((_tsman, scratch) => {
    const line = 'mount -t tmpfs none /dev/net && exec "$0" run --rm hello';
    const { status, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', line, tsmanPath()], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, ...tsmanEnv(scratch) },
    });

    assert.is(status, 125);
    assert.match(stderr, /^hint: there is no \/dev\/net\/tun: .*; sudo modprobe tun/m);
  }),
);

test.run();
