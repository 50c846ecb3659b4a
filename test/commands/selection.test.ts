import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { until } from '../support/until.ts';

const test = suite('commands about several containers');
const inBox = requires(test, 'userns');

async function out(tsman: Tsman, ...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await tsman(...args);
  assert.is(exitCode, 0, `${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** `up` runs, `idle` was never started, `done` has ended with 3; each has its name as a label. */
async function withThree(
  body: (
    tsman: Tsman,
    ids: Record<'up' | 'idle' | 'done', string>,
    scratch: Scratch,
  ) => Promise<void>,
): Promise<void> {
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const make = async (verb: string, name: string, ...command: string[]): Promise<string> => {
      const cidfile = join(scratch.directory, `${name}.cid`);
      const names = ['--network=none', `--name=${name}`, `--label=${name}`, `--cidfile=${cidfile}`];
      const words = verb === 'run' ? ['run', '-d'] : [verb];
      await out(tsman, ...words, ...names, PROBE_IMAGE, '/bin/probe', ...command);
      return readFileSync(cidfile, 'utf8');
    };
    const idle = await make('create', 'idle', 'sleep');
    const done = await make('run', 'done', 'exit', '3');
    await out(tsman, 'wait', 'done');
    const up = await make('run', 'up', 'sleep');
    await body(tsman, { up, idle, done }, scratch);
  });
}

inBox('take -l, -a, --filter and --cidfile as Podman does', () =>
  withThree(async (tsman, { up, idle, done }, scratch) => {
    assert.is(await out(tsman, 'ps', '-lq', '--no-trunc'), up);
    assert.is(await out(tsman, 'ps', '-q', '--no-trunc', '--filter', 'label=idle', '-a'), idle);
    assert.is(await out(tsman, 'inspect', '-l', '--format={{.Id}}'), up);
    assert.is(await out(tsman, 'restart', '-t0', '-l'), up);
    assert.is(await out(tsman, 'restart', '-t0', '--running'), up);
    assert.is(await out(tsman, 'kill', '--signal=CONT', '-a'), up);
    assert.is(
      await out(tsman, 'kill', '--signal=CONT', '--cidfile', join(scratch.directory, 'up.cid')),
      up,
    );
    assert.is(await out(tsman, 'start', '--filter', 'label=done'), done);
    assert.is(await out(tsman, 'start', '--filter', 'label=nobody'), '');
    assert.is(await out(tsman, 'stop', '-t0', '--filter', 'label=up'), up);
    assert.is(await out(tsman, 'stop', '-t0', '-a'), '');
    assert.is(await out(tsman, 'rm', '--cidfile', join(scratch.directory, 'idle.cid')), idle);
    assert.is(await out(tsman, 'rm', '--filter', 'status=exited', '--filter', 'label=done'), done);
    assert.is(await out(tsman, 'rm', '-a'), up);
  }),
);

inBox('refuse what contradicts itself, and go on after one that is not there', () =>
  withThree(async (tsman, { up }) => {
    for (const [args, pattern] of [
      [['stop', '-a', 'up'], /--all and container names exclude each other/],
      [['stop', '-l', 'up'], /--latest and container names exclude each other/],
      [['stop'], /which container/],
      [['stop', '--cidfile', '/nonexistent'], /--cidfile .*no container ID/],
      [['stop', '--filter', 'colour=red'], /unknown key "colour"/],
      [['start', ''], /container/],
    ] as const) {
      const { exitCode, stderr } = await tsman(...args);
      assert.is(exitCode, 125, args.join(' '));
      assert.match(stderr, pattern);
    }
    const stop = await tsman('stop', '-t0', 'nobody', 'up');
    assert.equal([stop.exitCode, stop.stdout], [125, 'up\n']);
    assert.is(await out(tsman, 'start', up.slice(0, 12)), up.slice(0, 12));
  }),
);

inBox('rm has exit codes of its own for what is not there and what runs', () =>
  withThree(async (tsman) => {
    assert.is((await tsman('rm', 'nobody')).exitCode, 1);
    assert.is((await tsman('rm', 'up')).exitCode, 2);
    assert.is((await tsman('rm', 'nobody', 'up', 'idle')).exitCode, 2);
    assert.is((await tsman('rm', '-i', 'nobody')).exitCode, 0);
    assert.is(await out(tsman, 'ps', '-a', '--format={{.Names}}', '--sort=names'), 'done\nup');
  }),
);

inBox('ps --format json has the fields of Podman, with their types', () =>
  withThree(async (tsman, { done }) => {
    const [row] = JSON.parse(await out(tsman, 'ps', '-a', '--format=json', '--filter=name=done'));
    assert.equal([row.Id, row.Names, row.Command], [done, ['done'], ['/bin/probe', 'exit', '3']]);
    assert.equal([row.ExitCode, row.Exited, row.State, row.Pid], [3, true, 'exited', 0]);
    assert.equal(row.Labels, { done: '' });
    assert.equal([row.Ports, row.Networks, row.Mounts, row.Size], [[], [], [], null]);
    assert.ok(Math.abs(row.Created - Date.now() / 1000) < 100 && row.ExitedAt >= row.StartedAt);
  }),
);

inBox('wait has the conditions of Podman', () =>
  withThree(async (tsman) => {
    assert.is(await out(tsman, 'wait', '--condition=created', 'idle'), '-1');
    assert.is(await out(tsman, 'wait', '--condition=configured', 'idle'), '-1');
    assert.is(await out(tsman, 'wait', '--condition=running', 'up'), '-1');
    assert.is(
      await out(tsman, 'wait', '--condition=exited', '--condition=running', 'done', 'up'),
      '3\n-1',
    );
    assert.is(await out(tsman, 'wait', '--ignore', 'nobody'), '-1');
    const ended = tsman('wait', '-i', '50ms', '--condition=stopped', 'up');
    const removed = tsman('wait', '--condition=removing', 'done');
    await tsman('kill', '-s', 'KILL', 'up');
    await tsman('rm', 'done');
    assert.is((await ended).stdout, '137\n');
    assert.is((await removed).exitCode, 0, (await removed).stderr);
    const started = tsman('wait', '--condition=running', 'idle');
    await tsman('start', 'idle');
    assert.is((await started).exitCode, 0);
  }),
);

/** `events` without an end: what it says, until the expected text ends it. */
function follow(scratch: Scratch, ...options: string[]): { hears(text: string): Promise<void> } {
  const args = ['events', '--since=1m', '--format={{.Name}} {{.Status}}', ...options];
  const child = spawn(tsmanPath(), args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...tsmanEnv(scratch) },
  });
  let said = '';
  child.stdout.on('data', (bytes) => {
    said += String(bytes);
  });
  return {
    hears: (text) =>
      until(`it says ${text}`, () => said === text).finally(() => child.kill('SIGKILL')),
  };
}

inBox('events have a beginning and an end, and go on when asked to', () =>
  withThree(async (tsman, _ids, scratch) => {
    const actions = async (...options: string[]): Promise<string[]> => {
      const text = await out(tsman, 'events', '--format={{.Name}} {{.Status}}', ...options);
      return text === '' ? [] : text.split('\n');
    };
    assert.equal(await actions('--stream=false', '--filter=container=done'), [
      'done create',
      'done init',
      'done start',
      'done died',
      'done cleanup',
    ]);
    assert.equal(await actions('--stream=false', '--since=1h', '--until=-30m'), []);
    assert.equal(
      await actions('--stream=false', '--filter=label=idle', '--filter=type=container'),
      ['idle create'],
    );
    const end = Date.now() / 1000 + 3;
    assert.equal(await actions(`--until=${end}`, '--filter=event=stop'), []);
    assert.ok(Date.now() / 1000 >= end);
    const coming = follow(scratch, '--filter=event=stop', '--filter=event=remove');
    await tsman('stop', '-t0', 'up');
    await tsman('rm', 'up');
    await coming.hears('up stop\nup remove\n');
    const wrong = await tsman('events', '--since=1m', '--until=-1h');
    assert.is(wrong.exitCode, 125);
  }),
);

test.run();
