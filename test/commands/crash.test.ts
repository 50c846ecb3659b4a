// timeout: 400
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { until, untilEnded } from '../support/until.ts';

const test = suite('after a crash');

const PROBE = [PROBE_IMAGE, '/bin/probe'] as const;

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

async function inspect(tsman: Tsman, name: string, field: string): Promise<string> {
  return (await tsman('inspect', '-f', `{{${field}}}`, name)).stdout.trim();
}

async function hasEnded(tsman: Tsman, name: string): Promise<void> {
  await until(
    'it has ended',
    async () => (await inspect(tsman, name, '.State.Status')) === 'exited',
  );
}

test('run killed at any moment leaves a whole container or none', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    for (let delayMs = 4; delayMs <= 80; delayMs += 4) {
      const run = ['run', '--network', 'none', '--name', `k${delayMs}`, ...PROBE, 'sleep'];
      await killedAfter(scratch, delayMs, run);
    }

    const listed = (await tsman('ps', '-a', '--format', '{{.Names}}')).stdout.trim().split('\n');
    for (const name of listed.filter((it) => it !== '')) {
      const { exitCode, stderr } = await tsman('inspect', name);
      assert.is(exitCode, 0, stderr);
      assert.is((await tsman('start', name)).exitCode, 0, name);
    }
    assert.is((await tsman('rm', '-fa')).exitCode, 0);
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }));

test('run --rm killed at any moment leaves nothing that runs unseen', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    for (let delayMs = 5; delayMs <= 75; delayMs += 10)
      await killedAfter(scratch, delayMs, ['run', '--rm', '--network', 'none', ...PROBE, 'sleep']);

    const { exitCode, stderr } = await tsman('rm', '-fa');

    assert.is(exitCode, 0, stderr);
    assert.is((await tsman('ps', '-aq')).stdout, '');
    // withScratch fails the test when a process of this scratch is left.
  }));

for (const verb of ['start', 'restart', 'rm -f', 'container clone --run', 'rename']) {
  test(`${verb} killed at any moment leaves containers that the next command can handle`, () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      for (let delayMs = 3; delayMs <= 60; delayMs += 6) {
        const name = `k${delayMs}`;
        const make = verb === 'start' || verb === 'rename' ? ['create'] : ['run', '-d'];
        await tsman(...make, '--network', 'none', '--name', name, ...PROBE, 'sleep');
        const other = verb === 'rename' ? [`n${delayMs}`] : [];
        await killedAfter(scratch, delayMs, [...verb.split(' '), name, ...other]);
      }
      const listed = (await tsman('ps', '-a', '--format', '{{.Names}}')).stdout.trim().split('\n');
      for (const name of listed.filter((it) => it !== '')) {
        assert.is((await tsman('inspect', name)).exitCode, 0, name);
        // The last one may have got its SIGKILL and not be gone yet: a start finds it running.
        await until(`${name} runs and goes on running`, async () => {
          const { exitCode, stderr } = await tsman('start', name);
          assert.is(exitCode, 0, `${name}: ${stderr}`);
          await sleep(50);
          return (await inspect(tsman, name, '.State.Status')) === 'running';
        });
      }
      assert.is((await tsman('rm', '-fa')).exitCode, 0);
      assert.is((await tsman('ps', '-aq')).stdout, '');
      // What was killed between its directory and its record is left to a prune, ten seconds later.
      const directories = join(scratch.root, 'containers');
      for (const id of readdirSync(directories)) utimesSync(join(directories, id), 0, 0);
      assert.is((await tsman('system', 'prune', '-f')).exitCode, 0);
      assert.equal(readdirSync(directories), []);
    }));
}

for (const [what, act] of [
  ['rm -f', ['rm', '-f', 'web']],
  ['start', ['start', 'web']],
  ['restart', ['restart', '-t', '0', 'web']],
] as const) {
  test(`${what} works at once after kill -9 of the monitor`, () =>
    withScratch(async (tsman) => {
      await loadProbe(tsman);
      await tsman('run', '-d', '--network', 'none', '--name', 'web', ...PROBE, 'sleep');
      const monitor = Number(await inspect(tsman, 'web', '.State.ConmonPid'));

      process.kill(monitor, 'SIGKILL');
      await untilEnded(monitor);
      const listed = await tsman('ps', '-a', '--format', '{{.Names}} {{.State}}');
      const { exitCode, stderr } = await tsman(...act);

      assert.match(listed.stdout, /^web (exited|running)\n$/);
      assert.is(exitCode, 0, stderr);
      const after = (await tsman('ps', '-a', '--format', '{{.State}}')).stdout;
      assert.is(after, what === 'rm -f' ? '' : 'running\n');
    }));
}

test('a container whose monitor was killed shows as ended by it, with code 137', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('run', '-d', '--network', 'none', '--name', 'web', ...PROBE, 'sleep');
    process.kill(Number(await inspect(tsman, 'web', '.State.ConmonPid')), 'SIGKILL');
    await hasEnded(tsman, 'web');

    assert.is((await tsman('wait', 'web')).stdout, '137\n');
  }));

test('after a reboot containers are exited and can be started', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await tsman('run', '-d', '--network', 'none', '--name', 'web', ...PROBE, 'sleep');
    await tsman('create', '--network', 'none', '--name', 'idle', ...PROBE, 'sleep');
    process.kill(Number(await inspect(tsman, 'web', '.State.ConmonPid')), 'SIGKILL');
    await hasEnded(tsman, 'web');
    // What a reboot leaves of a run directory in tmpfs.
    for (const name of readdirSync(scratch.runRoot))
      rmSync(join(scratch.runRoot, name), { recursive: true, force: true });

    const { stdout } = await tsman('ps', '-a', '--format', '{{.Names}} {{.State}}');

    assert.is(stdout, 'idle created\nweb exited\n');
    const [line = ''] = (await tsman('ps', '-a', '--filter', 'name=web')).stdout
      .split('\n')
      .slice(1);
    assert.match(line, / Exited \(137\) /);
    const times = '.State.StartedAt}} {{.State.FinishedAt';
    const seconds = async (): Promise<number[]> =>
      (await inspect(tsman, 'web', times))
        .split(' ')
        .map((it) => Math.floor(Date.parse(it) / 1000));
    const [started = 0, finished = 0] = await seconds();
    assert.ok(finished >= started && started > Date.now() / 1000 - 60, `${started} ${finished}`);
    // Another boot, longer ago than this one began.
    const id = await inspect(tsman, 'web', '.Id');
    const mark = join(scratch.root, 'containers', id, 'started');
    writeFileSync(mark, '00000000-0000-0000-0000-000000000000');
    utimesSync(mark, 1000, 1000);
    const booted = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
    assert.equal(await seconds(), [1000, Number(booted)]);
    assert.is((await tsman('start', 'web', 'idle')).exitCode, 0);
    assert.is(await inspect(tsman, 'web', '.State.Status'), 'running');
  }));

test('a state file of another boot says nothing, even when its pids are alive', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const run = await tsman('run', '-d', '--network', 'none', '--name', 'web', ...PROBE, 'sleep');
    const file = join(scratch.runRoot, 'containers', run.stdout.trim(), 'state');
    const state = readFileSync(file, 'utf8');

    writeFileSync(file, state.replace(/^boot .*$/m, 'boot 00000000-0000-0000-0000-000000000000'));
    assert.is(await inspect(tsman, 'web', '.State.Status'), 'exited');
    writeFileSync(file, state);
    assert.is(await inspect(tsman, 'web', '.State.Status'), 'running');
  }));

test('a container whose run directory was removed is still seen, ended and never run twice', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const run = await tsman('run', '-d', '--network', 'none', '--name', 'web', ...PROBE, 'sleep');
    const id = run.stdout.trim();
    const pid = await inspect(tsman, 'web', '.State.Pid');
    // As a logout does with /run/user. Not a start that is just under way:
    rmSync(join(scratch.runRoot, 'containers', id), { recursive: true });
    const mark = join(scratch.root, 'containers', id, 'started');
    utimesSync(mark, Date.now() / 1000 - 60, Date.now() / 1000 - 60);

    assert.is(await inspect(tsman, 'web', '.State.Status'), 'running');
    assert.is(await inspect(tsman, 'web', '.State.Pid'), pid);
    assert.is((await tsman('exec', 'web', 'probe', 'exit', '3')).exitCode, 3);
    assert.is((await tsman('start', 'web')).exitCode, 0);
    assert.is(await inspect(tsman, 'web', '.State.Pid'), pid);
    assert.is((await tsman('rm', 'web')).exitCode, 2);

    // To a start that does not see it either, the lock says so.
    utimesSync(mark, Date.now() / 1000, Date.now() / 1000);
    const second = await tsman('start', 'web');
    assert.is(second.exitCode, 125);
    assert.match(second.stderr, /running already/);

    utimesSync(mark, Date.now() / 1000 - 60, Date.now() / 1000 - 60);
    assert.is((await tsman('stop', '-t', '0', 'web')).exitCode, 0);
    assert.is(await inspect(tsman, 'web', '.State.Status'), 'exited');
    assert.is((await tsman('start', 'web')).exitCode, 0);
    assert.is((await tsman('rm', '-f', 'web')).exitCode, 0);
  }));

test('records of --rm containers do not gather', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    for (let i = 0; i < 30; i++)
      await tsman('run', '--rm', '--network', 'none', ...PROBE, 'exit', '0');

    const database = new DatabaseSync(join(scratch.root, 'db.sqlite'));
    const row = database.prepare('SELECT count(*) AS count FROM containers').get();
    database.close();
    assert.ok(Number(row?.['count']) < 20, String(row?.['count']));
  }));

test('a directory without a record, from a create that was killed, is not seen', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    for (let delayMs = 2; delayMs <= 40; delayMs += 2)
      await killedAfter(scratch, delayMs, ['create', ...PROBE, 'sleep']);

    const listed = (await tsman('ps', '-aq', '--no-trunc')).stdout.split('\n').filter(Boolean);

    for (const id of listed)
      assert.ok(existsSync(join(scratch.root, 'containers', id, 'config.json')), id);
  }));

test.run();
