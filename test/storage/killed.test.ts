// timeout: 300
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE, probeDirectory } from '../support/probe.ts';
import { runProgram } from '../support/programs.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { assertSound, pruneLeftovers, storeFiles } from '../support/sound-store.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';

const test = suite('a store whose commands are killed');
const BUDGET_MS = 45_000;
const LEAST_KILLS = 40;
const LONGEST_DELAY_MS = 160;

/** Starts a tsman and kills it, with SIGKILL, after so long. */
async function killedAfter(
  scratch: Scratch,
  delayMs: number,
  args: readonly string[],
): Promise<void> {
  const child = spawn(tsmanPath(), args, {
    stdio: 'ignore',
    env: { ...process.env, ...tsmanEnv(scratch) },
  });
  const gone = once(child, 'exit');
  await sleep(delayMs);
  child.kill('SIGKILL');
  await gone;
}

requires(test, 'docker-registry')(
  'shows only images that run, and prune makes it as small as a clean one',
  () =>
    withScratch((tsman, scratch) =>
      withRegistry({}, async ({ address }) => {
        await loadProbe(tsman);
        const archive = join(await probeDirectory(), 'probe.tar');
        const remote = `${address}/probe:1`;
        await tsman('push', '-q', '--tls-verify=false', PROBE_IMAGE, remote);
        await tsman('create', '--name', 'c', '--network', 'none', PROBE_IMAGE);
        const clean = await storeFiles(tsman, scratch);
        const commands = [
          ['load', '-i', archive],
          ['pull', '-q', '--tls-verify=false', remote],
          ['commit', 'c', 'localhost/committed'],
          ['commit', '--squash', 'c'],
          ['rmi', '-f', remote, 'localhost/committed'],
          ['rmi', 'localhost/committed'],
          ['image', 'prune', '-f'],
          ['system', 'prune', '--external', '-f'],
        ] as const;
        const end = performance.now() + BUDGET_MS;
        let kills = 0;
        for (; kills < 120 && (kills < LEAST_KILLS || performance.now() < end); kills++) {
          const delayMs = 5 + Math.random() * LONGEST_DELAY_MS;
          await killedAfter(scratch, delayMs, commands[kills % commands.length] ?? []);
          if (kills % 40 === 39) await assertSound(tsman);
        }
        process.stdout.write(`(${kills} kills) `);
        await assertSound(tsman);
        await tsman('rmi', '-f', remote, 'localhost/committed');
        await tsman('image', 'prune', '-f');
        await pruneLeftovers(tsman, scratch);
        assert.equal(await storeFiles(tsman, scratch), clean);
        assert.ok(kills >= LEAST_KILLS);
      }),
    ),
);

requires(test, 'docker-registry')('is safe with concurrent pulls, removals and runs', () =>
  withScratch((tsman, scratch) =>
    withRegistry({}, async ({ address }) => {
      await loadProbe(tsman);
      const remote = `${address}/probe:1`;
      await tsman('push', '-q', '--tls-verify=false', PROBE_IMAGE, remote);
      await tsman('rmi', PROBE_IMAGE);
      const pull = () => tsman('pull', '-q', '--tls-verify=false', remote);
      for (const { exitCode, stderr } of await Promise.all([pull(), pull(), pull()]))
        assert.is(exitCode, 0, stderr);
      const run = () => tsman('run', '--rm', '--network', 'none', remote, '/bin/probe', 'id');
      for (let round = 0; round < 4; round++) {
        // Whoever comes second may be told so; nobody may see half of an image.
        const results = await Promise.all([run(), tsman('rmi', remote), pull(), run()]);
        for (const { args, exitCode, stderr } of results)
          assert.ok(
            exitCode === 0 || /used by container|not known|removed meanwhile|in use/.test(stderr),
            `${args.join(' ')}: ${stderr}`,
          );
        assert.is((await pull()).exitCode, 0);
        assert.is((await run()).exitCode, 0);
      }
      await assertSound(tsman);
      assert.ok(scratch.root !== '');
    }),
  ),
);

test('a full disk is said in one line, and costs nothing that was there', () =>
  withScratch(async (_tsman, scratch) => {
    const mount = scratch.makeDirectory('small');
    const archive = join(await probeDirectory(), 'probe.tar');
    const big = join(scratch.directory, 'big.tar');
    const tree = scratch.makeDirectory('tree');
    await runProgram('dd', [
      'if=/dev/urandom',
      `of=${tree}/big`,
      'bs=1M',
      'count=12',
      'status=none',
    ]);
    await runProgram('tar', ['-C', tree, '-cf', big, '.']);
    const tsman = `${tsmanPath()} --root ${mount}/d --runroot ${scratch.directory}/r2`;
    const script = [
      `mount -t tmpfs -o size=10m tmpfs ${mount}`,
      `${tsman} load -q -i ${archive}`,
      `${tsman} import ${big} big; echo status $?`,
      `${tsman} system check && ${tsman} images --format '{{.Repository}}'`,
      `${tsman} system prune -f && ls ${mount}/d/ingest`,
    ];
    const output = await runProgram('unshare', [
      '-rm',
      'sh',
      '-c',
      `exec 2>&1; ${script.join('; ')}`,
    ]);
    assert.match(output, /No space left on device \(ENOSPC\)|ENOSPC/);
    assert.match(output, /status 125\n/);
    assert.match(output, /^localhost\/probe$/m);
    assert.not.match(output, /\.blob|\.partial|\n\s+at /);
  }));

test('a read-only store is said in one line', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const command = `${tsmanPath()} --root ${scratch.root} --runroot ${scratch.runRoot}`;
    const archive = join(await probeDirectory(), 'probe.tar');
    const script = [
      `mount --bind ${scratch.root} ${scratch.root}`,
      `mount -o remount,bind,ro ${scratch.root}`,
      `${command} load -i ${archive}`,
      'echo status $?',
    ];
    const output = await runProgram('unshare', [
      '-rm',
      'sh',
      '-c',
      `exec 2>&1; ${script.join('; ')}`,
    ]);
    assert.match(output, /read-only|readonly|EROFS/i);
    assert.match(output, /status 125\n/);
    assert.not.match(output, /\n\s+at /);
  }));

test.run();
