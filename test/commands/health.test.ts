import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';
import { until } from '../support/until.ts';

const test = suite('a health check');
const inBox = requires(test, 'userns');

interface Health {
  readonly Status: string;
  readonly FailingStreak: number;
  readonly Log: readonly {
    readonly Start: string;
    readonly End: string;
    readonly ExitCode: number;
    readonly Output: string;
  }[];
}

async function healthOf(tsman: Tsman): Promise<Health> {
  return JSON.parse((await tsman('inspect', '--format', '{{json .State.Health}}', 'c')).stdout);
}

async function starts(tsman: Tsman, ...options: string[]): Promise<void> {
  await loadProbe(tsman);
  const run = ['run', '-d', '--init', '--name', 'c', '--network', 'none', '--tmpfs', '/t'];
  const { exitCode, stderr } = await tsman(...run, ...options, PROBE_IMAGE, 'probe', 'sleep');
  assert.is(exitCode, 0, stderr);
}

async function becomes(tsman: Tsman, status: string): Promise<void> {
  await until(`it is ${status}`, async () => (await healthOf(tsman)).Status === status);
}

const CHECK = '["/bin/probe","cat","/t/ready"]';

inBox('is starting, healthy and unhealthy, in ps, inspect, events and wait', () =>
  withScratch(async (tsman) => {
    const check = ['--health-cmd', CHECK, '--health-interval', '150ms', '--health-retries', '2'];
    await starts(
      tsman,
      ...check,
      '--health-start-period',
      '1h',
      '--health-start-interval',
      '100ms',
    );
    assert.is((await healthOf(tsman)).Status, 'starting');
    assert.match((await tsman('ps')).stdout, /\(health: starting\)/);

    await tsman('exec', 'c', 'probe', 'write', '/t/ready', 'yes\n');
    assert.is((await tsman('wait', '--condition', 'healthy', 'c')).exitCode, 0);
    const health = await healthOf(tsman);
    assert.is(health.FailingStreak, 0);
    assert.is(health.Log.at(-1)?.Output, 'yes\n');
    assert.match(health.Log.at(-1)?.Start ?? '', /^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z$/);
    assert.match((await tsman('ps', '--filter', 'health=healthy')).stdout, /\(healthy\)/);

    await tsman('exec', 'c', 'probe', 'write', '/t/ready', '');
    await tsman('exec', 'c', 'probe', 'chown', '5', '5', '/t/ready');
    assert.is((await healthOf(tsman)).Status, 'healthy');
    const { stdout } = await tsman('events', '--stream=false', '--filter', 'event=health_status');
    assert.match(stdout, /healthy/);
  }),
);

inBox('failures count up to the retries; the log keeps the last results', () =>
  withScratch(async (tsman) => {
    const check = ['--health-cmd', CHECK, '--health-interval', '60ms', '--health-retries', '2'];
    await starts(tsman, ...check, '--health-max-log-count', '3', '--health-max-log-size', '5');
    await becomes(tsman, 'unhealthy');
    await until('it failed often', async () => (await healthOf(tsman)).FailingStreak >= 8);
    const health = await healthOf(tsman);
    assert.is(health.Log.length, 3);
    assert.is(health.Log[0]?.ExitCode, 1);
    assert.is(health.Log[0]?.Output, 'probe');
  }),
);

inBox('healthcheck run counts, and tells by its exit code', () =>
  withScratch(async (tsman) => {
    await starts(tsman, '--health-cmd', CHECK, '--health-interval', 'disable');
    const failed = await tsman('healthcheck', 'run', 'c');
    assert.is(failed.exitCode, 1);
    assert.is(failed.stdout, 'unhealthy\n');
    assert.is((await healthOf(tsman)).FailingStreak, 1);

    await tsman('exec', 'c', 'probe', 'write', '/t/ready', 'yes');
    assert.is((await tsman('healthcheck', 'run', 'c')).exitCode, 0);
    assert.is((await healthOf(tsman)).Status, 'healthy');
  }),
);

inBox('a command that hangs or is not there is a failure that says so', () =>
  withScratch(async (tsman) => {
    const never = ['--health-interval', 'disable'];
    await starts(tsman, '--health-cmd', '["probe","sleep"]', ...never, '--health-timeout', '1s');
    assert.is((await tsman('healthcheck', 'run', 'c')).exitCode, 1);
    assert.match((await healthOf(tsman)).Log[0]?.Output ?? '', /time limit/);
    await tsman('rm', '-f', 'c');

    await starts(tsman, '--health-cmd', '["/missing"]', ...never);
    assert.is((await tsman('healthcheck', 'run', 'c')).exitCode, 1);
    assert.match((await healthOf(tsman)).Log[0]?.Output ?? '', /missing: ENOENT/);
  }),
);

inBox('an unhealthy container is killed, stopped or restarted on request', () =>
  withScratch(async (tsman) => {
    const check = ['--health-cmd', CHECK, '--health-interval', '60ms', '--health-retries', '1'];
    for (const [action, code] of [
      ['kill', '137'],
      ['stop', '143'],
    ]) {
      await starts(tsman, ...check, '--health-on-failure', action ?? '');
      assert.is((await tsman('wait', 'c')).stdout.trim(), code);
      await tsman('rm', '-f', 'c');
    }
    await starts(tsman, ...check, '--health-on-failure', 'restart');
    const count = ['inspect', '--format', '{{.RestartCount}}', 'c'];
    await until('it was restarted twice', async () => Number((await tsman(...count)).stdout) >= 2);
  }),
);

inBox('a start-up check holds it back, and too many failures restart the container', () =>
  withScratch(async (tsman) => {
    const main = ['--health-cmd', '["probe","id"]', '--health-interval', '50ms'];
    const startup = ['--health-startup-cmd', CHECK, '--health-startup-interval', '50ms'];
    await starts(tsman, ...main, ...startup);
    await sleep(400);
    assert.is((await healthOf(tsman)).Status, 'starting');
    await tsman('exec', 'c', 'probe', 'write', '/t/ready', 'yes');
    await becomes(tsman, 'healthy');
    await tsman('rm', '-f', 'c');

    await starts(tsman, ...main, ...startup, '--health-startup-retries', '2');
    const count = ['inspect', '--format', '{{.RestartCount}}', 'c'];
    await until('it was restarted', async () => Number((await tsman(...count)).stdout) >= 1);
  }),
);

inBox('has the confinement of the container', () =>
  withScratch(async (tsman, scratch) => {
    const status = '["probe","status","CapEff","NoNewPrivs","Seccomp"]';
    const logs = scratch.makeDirectory('logs');
    const where = ['--health-interval', 'disable', '--health-log-destination', logs];
    await starts(tsman, '--health-cmd', status, '--cap-drop', 'all', ...where);
    assert.is((await tsman('healthcheck', 'run', 'c')).exitCode, 0);
    assert.match((await healthOf(tsman)).Log[0]?.Output ?? '', /CapEff:\s+0{16}\n.*\nSeccomp:\s+2/);
    const id = (await tsman('ps', '-q', '--no-trunc')).stdout.trim();
    assert.ok(existsSync(`${logs}/${id}-healthcheck.log`));
    assert.match(readFileSync(`${logs}/${id}-healthcheck.log`, 'utf8'), /^\{"Start":\d+/);
  }),
);

inBox('of a container that exists is changed by update, from its next start on', () =>
  withScratch(async (tsman) => {
    const never = ['--health-interval', 'disable'];
    await starts(tsman, '--health-cmd', '["probe","exit","1"]', '--health-retries', '7', ...never);
    const check = async (): Promise<unknown> =>
      JSON.parse((await tsman('inspect', '-f', '{{json .Config.Healthcheck}}', 'c')).stdout);

    const { exitCode, stderr } = await tsman('update', '--health-cmd', '["probe","exit","0"]', 'c');
    assert.is(exitCode, 0, stderr);
    assert.match(stderr, /c runs: the change holds from its next start on/);
    assert.is((await tsman('healthcheck', 'run', 'c')).exitCode, 1);
    await tsman('restart', '-t', '0', 'c');
    assert.is((await tsman('healthcheck', 'run', 'c')).exitCode, 0);
    assert.match(JSON.stringify(await check()), /"probe","exit","0".*"Retries":7/);

    await tsman('update', '--health-startup-cmd', '["probe","exit","0"]', 'c');
    await tsman('update', '--health-startup-interval', '1h', '--health-timeout', '9s', 'c');
    assert.match(JSON.stringify(await check()), /"Timeout":9000000000/);
    await tsman('update', '--no-healthcheck', 'c');
    assert.equal(await check(), { Test: ['NONE'] });
    const none = await tsman('update', '--health-retries', '2', 'c');
    assert.is(none.exitCode, 125);
    assert.match(none.stderr, /no health check\nhint: give --health-cmd too/);
  }),
);

test('options are checked', () =>
  withScratch(async (tsman) => {
    for (const wrong of [
      ['--health-interval', 'often'],
      ['--health-retries', '0'],
      ['--health-timeout', '0s'],
      ['--health-on-failure', 'pray'],
      ['--health-log-destination', '/missing'],
      ['--health-on-failure', 'restart', '--restart', 'always'],
    ]) {
      const { exitCode, stderr } = await tsman('run', '--health-cmd', 'true', ...wrong, 'x');
      assert.is(exitCode, 125);
      assert.match(stderr, /--health-/);
    }
  }));

test.run();
