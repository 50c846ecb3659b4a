import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';
import { until } from '../support/until.ts';

const test = suite('tsman run --restart');
const inBox = requires(test, 'userns');

async function inspect(tsman: Tsman, template: string): Promise<string> {
  return (await tsman('inspect', '--format', template, 'c')).stdout.trim();
}

async function runs(tsman: Tsman, ...args: string[]): Promise<void> {
  await loadProbe(tsman);
  const run = ['run', '-d', '--name', 'c', '--network', 'none', ...args];
  const { exitCode, stderr } = await tsman(...run);
  assert.is(exitCode, 0, stderr);
}

async function becomes(tsman: Tsman, status: string): Promise<void> {
  await until(
    `it is ${status}`,
    async () => (await inspect(tsman, '{{.State.Status}}')) === status,
  );
}

async function restarted(tsman: Tsman, times: number): Promise<void> {
  await until(
    `it was restarted ${times} times`,
    async () => Number(await inspect(tsman, '{{.RestartCount}}')) >= times,
  );
}

inBox('on-failure:N runs it again so often, keeps the log, and records each end', () =>
  withScratch(async (tsman) => {
    await runs(tsman, '--restart', 'on-failure:2', PROBE_IMAGE, '/bin/probe', 'exit', '3');
    await becomes(tsman, 'exited');

    assert.is(await inspect(tsman, '{{.RestartCount}} {{.State.ExitCode}}'), '2 3');
    assert.is(
      await inspect(
        tsman,
        '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}',
      ),
      'on-failure 2',
    );
    const { stdout } = await tsman('events', '--stream=false', '--filter', 'event=died');
    assert.is(stdout.trim().split('\n').length, 3);
  }),
);

inBox('on-failure leaves a success alone', () =>
  withScratch(async (tsman) => {
    await runs(tsman, '--restart', 'on-failure', PROBE_IMAGE, '/bin/probe', 'exit', '0');
    await becomes(tsman, 'exited');
    assert.is(await inspect(tsman, '{{.RestartCount}} {{.State.ExitCode}}'), '0 0');
  }),
);

inBox('update changes the policy of a container that runs', () =>
  withScratch(async (tsman) => {
    await runs(tsman, '--restart', 'always', PROBE_IMAGE, '/bin/probe', 'echo', 'again');
    await restarted(tsman, 2);

    const { exitCode, stderr } = await tsman('update', '--restart', 'no', 'c');
    assert.is(exitCode, 0, stderr);
    assert.is(stderr, '');
    await becomes(tsman, 'exited');
    assert.is(await inspect(tsman, '{{.HostConfig.RestartPolicy.Name}}'), 'no');
    assert.is((await tsman('start', 'c')).exitCode, 0);
    await becomes(tsman, 'exited');
    const later = await tsman('update', '--restart', 'on-failure:2', 'c');
    assert.is(later.stderr, '');
    assert.is(await inspect(tsman, '{{.HostConfig.RestartPolicy.MaximumRetryCount}}'), '2');
  }),
);

inBox('between two runs it is restarting, listed without -a, and stops at once', () =>
  withScratch(async (tsman) => {
    await runs(tsman, '--restart', 'always', PROBE_IMAGE, '/bin/probe', 'echo', 'again');
    await restarted(tsman, 3);
    await until('it rests', async () => /Restarting \(0\)/.test((await tsman('ps')).stdout));

    const before = performance.now();
    assert.is((await tsman('stop', 'c')).exitCode, 0);
    // Sooner than what does not end by itself.
    assert.ok(performance.now() - before < 9000);
    assert.is(await inspect(tsman, '{{.State.Status}}'), 'exited');
    const count = await inspect(tsman, '{{.RestartCount}}');
    await sleep(500);
    assert.is(await inspect(tsman, '{{.RestartCount}}'), count);
    assert.match((await tsman('logs', 'c')).stdout, /^again\nagain\nagain\n/);
  }),
);

inBox('a crash is followed by another run, stop and kill are not', () =>
  withScratch(async (tsman) => {
    await runs(tsman, '--restart', 'unless-stopped', PROBE_IMAGE, '/bin/probe', 'sleep');
    process.kill(Number(await inspect(tsman, '{{.State.Pid}}')), 'SIGKILL');
    await becomes(tsman, 'running');
    await restarted(tsman, 1);

    await becomes(tsman, 'running');
    await tsman('kill', 'c');
    await becomes(tsman, 'exited');
    assert.is(await inspect(tsman, '{{.State.ExitCode}}'), '137');

    assert.is((await tsman('start', 'c')).exitCode, 0);
    assert.is(await inspect(tsman, '{{.State.Status}} {{.RestartCount}}'), 'running 0');
    assert.is((await tsman('stop', '-t', '0', 'c')).exitCode, 0);
    assert.is(await inspect(tsman, '{{.State.Status}}'), 'exited');
  }),
);

inBox('what the user has stopped does not start at boot, except with always', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const policies = ['always', 'unless-stopped', 'on-failure', 'no'];
    for (const policy of policies) {
      const options = ['--network', 'none', '--name', policy, '--restart', policy];
      await tsman('run', '-d', ...options, PROBE_IMAGE, '/bin/probe', 'sleep');
    }
    const filter = ['--filter', 'should-start-on-boot=true'];
    const atBoot = async (): Promise<string> =>
      (await tsman('ps', '-a', ...filter, '--format', '{{.Names}}')).stdout;
    const both = 'unless-stopped\nalways\n';
    assert.is(await atBoot(), both);

    // As the unit does it when the machine goes down, and when it is up again.
    assert.is((await tsman('stop', '-t', '0', '--all', '--until-boot', ...filter)).exitCode, 0);
    assert.is((await tsman('ps', '--format', '{{.Names}}')).stdout, 'no\non-failure\n');
    assert.is(await atBoot(), both);
    assert.is((await tsman('start', '--all', ...filter)).exitCode, 0);
    assert.is((await tsman('ps', '-q')).stdout.trim().split('\n').length, 4);

    const endings = [
      ['stop', '-t', '0'],
      ['kill', '-s', 'KILL'],
    ];
    for (const ending of endings) {
      assert.is((await tsman(...ending, ...policies)).exitCode, 0);
      assert.is(await atBoot(), 'always\n');
      assert.is((await tsman('restart', 'unless-stopped')).exitCode, 0);
      assert.is(await atBoot(), both);
      await tsman('start', ...policies);
    }
    // A run that is over when the user says stop, as after a boot.
    await tsman('stop', '-t', '0', '--until-boot', 'unless-stopped');
    assert.is(await atBoot(), both);
    assert.is((await tsman('kill', 'unless-stopped')).exitCode, 125);
    assert.is(await atBoot(), both, 'a kill that failed says nothing');
    assert.is((await tsman('stop', 'unless-stopped')).exitCode, 0);
    assert.is(await atBoot(), 'always\n');
    assert.is((await tsman('update', '--restart', 'always', 'unless-stopped')).exitCode, 0);
    assert.is(await atBoot(), both);
    assert.is((await tsman('rm', '-fa')).exitCode, 0);
  }),
);

inBox('rm -f ends one that rests', () =>
  withScratch(async (tsman) => {
    await runs(tsman, '--restart', 'always', PROBE_IMAGE, '/bin/probe', 'exit', '1');
    await becomes(tsman, 'restarting');
    assert.is((await tsman('rm', '-f', 'c')).exitCode, 0);
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }),
);

test('the policies that keep a container exclude --rm; nonsense is refused', () =>
  withScratch(async (tsman) => {
    for (const policy of ['always', 'unless-stopped', 'sometimes', 'on-failure:x', 'always:3']) {
      const { exitCode, stderr } = await tsman('run', '--rm', '--restart', policy, 'x');
      assert.is(exitCode, 125);
      assert.match(stderr, /--restart/);
    }
  }));

test.run();
