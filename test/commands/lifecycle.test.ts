import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { until } from '../support/until.ts';

const test = suite('the life of a container');

const SLEEP = [PROBE_IMAGE, '/bin/probe', 'sleep'];

async function start(tsman: Tsman, name: string, ...options: string[]): Promise<string> {
  const run = ['run', '-d', '--network=none', `--name=${name}`, ...options, ...SLEEP];
  const { stdout, stderr, exitCode } = await tsman(...run);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.trim();
}

async function out(tsman: Tsman, ...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await tsman(...args);
  assert.is(exitCode, 0, stderr);
  return stdout;
}

test('restart gives it a new process, rename a new name, each refused where it must be', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await start(tsman, 'web');
    const first = await out(tsman, 'inspect', '-f', '{{.State.Pid}}', 'web');

    assert.is(await out(tsman, 'restart', '-t', '0', 'web'), 'web\n');
    assert.is.not(await out(tsman, 'inspect', '-f', '{{.State.Pid}}', 'web'), first);
    await tsman('create', '--name', 'other', ...SLEEP);
    assert.match((await tsman('rename', 'web', 'other')).stderr, /name "other" is in use/);
    assert.match((await tsman('rename', 'web', '-x')).stderr, /unknown option|invalid/);
    await out(tsman, 'rename', 'web', 'www');
    assert.is(await out(tsman, 'ps', '--format', '{{.Names}}'), 'www\n');
  }));

test('port lists what is published', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const create = [
      'create',
      '--name',
      'web',
      '-p',
      '127.0.0.1:18080:80',
      '-p',
      '19000-19001:53-54/udp',
    ];
    await out(tsman, ...create, ...SLEEP);

    assert.is(
      await out(tsman, 'port', 'web'),
      '53/udp -> 0.0.0.0:19000\n54/udp -> 0.0.0.0:19001\n80/tcp -> 127.0.0.1:18080\n',
    );
    assert.is(await out(tsman, 'port', 'web', '80'), '127.0.0.1:18080\n');
    assert.is((await tsman('port', 'web', '81')).exitCode, 125);
  }));

test('wait knows the end, other conditions, several containers and those that are gone', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await start(tsman, 'long');
    await tsman(
      'run',
      '-d',
      '--network=none',
      '--name=short',
      PROBE_IMAGE,
      '/bin/probe',
      'exit',
      '7',
    );

    assert.is(await out(tsman, 'wait', 'short'), '7\n');
    assert.is(await out(tsman, 'wait', '--condition', 'running', 'long'), '-1\n');
    assert.is(await out(tsman, 'wait', '--exit-first-match', 'long', 'short'), '7\n');
    assert.is(await out(tsman, 'wait', '--ignore', 'nobody'), '-1\n');
    const wrong = await tsman('wait', '--condition', 'asleep', 'long');
    assert.match(wrong.stderr, /"asleep" is not a condition/);
    const all = tsman('wait', 'long', 'short');
    await tsman('kill', '-s', 'KILL', 'long');
    assert.is((await all).stdout, '137\n7\n');
  }));

test('has ended when its process has, although who prints its output is slow', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    // More than all buffers on the way hold.
    const run = `run --name job --network none ${PROBE_IMAGE} probe flood 8000000`;
    const client = spawn('sh', ['-c', `${tsmanPath()} ${run} | sleep 300`], {
      stdio: 'ignore',
      detached: true,
      env: { ...process.env, ...tsmanEnv(scratch) },
    });
    const inspect = async (field: string): Promise<string> =>
      (await tsman('inspect', '-f', `{{.State.${field}}}`, 'job')).stdout.trim();
    try {
      await until('it runs', async () => Number(await inspect('Pid')) > 0);
      const status = `/proc/${await inspect('Pid')}/status`;
      let asleep = 0;
      await until('it can write no more', () => {
        asleep = /^State:\tS/m.test(readFileSync(status, 'utf8')) ? asleep + 1 : 0;
        return asleep === 10;
      });
      await tsman('kill', '-s', 'KILL', 'job');
      await until('it has ended', async () => (await inspect('Status')) === 'exited');

      assert.is(await out(tsman, 'start', 'job'), 'job\n');
      await until('it has ended again', async () => (await inspect('Status')) === 'exited');
      assert.is(await out(tsman, 'rm', 'job'), 'job\n');
    } finally {
      process.kill(-(client.pid ?? 0), 'SIGKILL');
    }
  }));

test('filters choose for stop, start, kill, restart and rm', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await start(tsman, 'a', '--label=team=x');
    await start(tsman, 'b', '--label=team=y');
    const states = (): Promise<string> =>
      out(tsman, 'ps', '-a', '--sort=names', '--format', '{{.Names}} {{.State}}');

    await out(tsman, 'stop', '-t', '0', '--filter', 'label=team=x');
    assert.is(await states(), 'a exited\nb running\n');
    await out(tsman, 'start', '--filter', 'label=team=x');
    await out(tsman, 'kill', '--filter', 'name=b');
    await out(tsman, 'wait', 'b');
    assert.is(await states(), 'a running\nb exited\n');
    await out(tsman, 'rm', '--filter', 'status=exited');
    assert.is(await states(), 'a running\n');
    assert.match((await tsman('stop', '--filter', 'name=a', 'a')).stderr, /exclude each other/);
  }));

test('prune removes what does not run; exists, cleanup, init and clone answer', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await start(tsman, 'up');
    await tsman('create', '--name', 'idle', '--label', 'keep', ...SLEEP);

    assert.is(await out(tsman, 'container', 'prune', '-f', '--filter', 'label!=keep'), '');
    assert.is((await tsman('container', 'exists', 'idle')).exitCode, 0);
    assert.is((await tsman('container', 'exists', 'gone')).exitCode, 1);
    assert.is(await out(tsman, 'init', 'idle'), 'idle\n');
    assert.match((await tsman('init', 'up')).stderr, /up is running: it cannot be initialized/);
    assert.match((await tsman('container', 'cleanup', 'up')).stderr, /up is running/);
    const clone = (await out(tsman, 'container', 'clone', '--run', 'idle')).trim();
    assert.is(
      await out(tsman, 'inspect', '-f', '{{.Name}} {{.State.Status}}', clone),
      'idle-clone running\n',
    );
    await tsman('rm', '-f', clone);
    assert.match(await out(tsman, 'container', 'prune'), /^[0-9a-f]{64}\n$/);
    assert.is(await out(tsman, 'ps', '-a', '--format', '{{.Names}}'), 'up\n');
  }));

test('top shows processes of run and exec with the ids of the container', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await start(tsman, 'web', '--user', 'alice');
    await tsman('exec', '-d', '--user', '0', 'web', '/bin/probe', 'sleep');

    const rows = (await out(tsman, 'top', 'web', 'user', 'pid', 'ppid', 'args')).split('\n');
    assert.match(rows[0] ?? '', /^USER +PID +PPID +COMMAND$/);
    assert.match(rows[1] ?? '', /^alice +1 +0 +\/bin\/probe sleep$/);
    assert.match(rows[2] ?? '', /^root +\d+ +0 +\/bin\/probe sleep$/);
    assert.match(await out(tsman, 'top', 'web', 'capeff,seccomp'), /\nnone +filter\n/);
    const ps = await tsman('top', 'web', '-ef');
    assert.match(ps.stderr, /exec ps: no such file/);
  }));

test('stats gives one line for each running container', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await start(tsman, 'web');
    await tsman('create', '--name', 'idle', ...SLEEP);

    const [header, line, rest] = (await out(tsman, 'stats', '--no-stream')).split('\n');
    assert.match(
      header ?? '',
      /^ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET IO +BLOCK IO +PIDS/,
    );
    assert.match(line ?? '', /^[0-9a-f]{12} +web +\d+\.\d\d% +[\d.]+[kM]?B \/ [\d.]+GB /);
    assert.is(rest, '');
    const json = JSON.parse(await out(tsman, 'stats', '--no-stream', '--format', 'json'));
    assert.equal([json.length, json[0].name, json[0].pids], [1, 'web', '1']);
    assert.match((await tsman('stats', '--no-stream', 'idle')).stderr, /idle is not running/);
  }));

test('diff lists what changed and not our own mount points; export has it', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const run = ['run', '--network=none', '--name=job', PROBE_IMAGE, '/bin/probe'];
    await out(tsman, ...run, 'write', '/root/new', 'hello');

    assert.is(await out(tsman, 'diff', 'job'), 'C /root\nA /root/new\n');
    assert.equal(JSON.parse(await out(tsman, 'diff', '--format', 'json', 'job')), {
      added: ['/root/new'],
      changed: ['/root'],
    });
    const archive = join(scratch.directory, 'job.tar');
    await out(tsman, 'export', '-o', archive, 'job');
    const list = spawnSync('tar', ['-tvf', archive], { encoding: 'utf8', timeout: 60_000 });
    assert.is(list.status, 0, list.stderr);
    assert.match(list.stdout, /-rw-r--r-- 0\/0 +5 .* root\/new\n/);
    assert.match(list.stdout, /drwx------ 1000\/1000 .* home\/alice\/\n/);
    const piped = spawnSync('tar', ['-xOf', archive, 'root/new'], { encoding: 'utf8' });
    assert.is(piped.stdout, 'hello');
  }));

test('events are kept without a daemon, and can be filtered', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await start(tsman, 'web', '--label=team=x');
    await tsman('kill', 'web');
    await tsman('wait', 'web');
    await tsman('rm', 'web');
    const events = (...args: string[]): Promise<string> =>
      out(tsman, 'events', '--stream=false', '--format', '{{.Name}} {{.Status}}', ...args);

    const all = (await events('--since', '1h')).split('\n').slice(0, -1);
    assert.equal([...all].sort(), [
      'web cleanup',
      'web create',
      'web died',
      'web init',
      'web kill',
      'web remove',
      'web start',
    ]);
    assert.is(await events('--filter', 'event=die'), 'web died\n');
    assert.is(await events('--filter', 'label=team=y'), '');
    assert.is(await events('--until', '2000-01-01'), '');
    const text = await out(tsman, 'events', '--stream=false', '--filter', 'event=create');
    assert.match(
      text,
      /^[\d-]+ [\d:.]+ \+0000 UTC container create [0-9a-f]{64} \(image=localhost\/probe:latest, name=web, team=x\)\n$/,
    );
  }));

test('the events file is bounded', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const file = join(scratch.root, 'events');
    writeFileSync(file, `${'x'.repeat(1 << 20)}\n`);

    await tsman('create', '--name', 'one', ...SLEEP);
    await tsman('create', '--name', 'two', ...SLEEP);

    assert.match(readFileSync(file, 'utf8'), /^\{[^\n]*"Name":"two"[^\n]*\n$/);
    const seen = await out(tsman, 'events', '--stream=false', '--format', '{{.Name}}');
    assert.is(seen, 'one\ntwo\n');
  }));

test('update holds from the next start; limits are refused with a reason', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('create', '--network=none', '--name', 'job', PROBE_IMAGE, '/bin/probe', 'env');

    await out(tsman, 'update', '-e', 'ADDED=yes', '--unsetenv', 'FROM_IMAGE', 'job');
    const env = await out(tsman, 'start', '-a', 'job');
    assert.match(env, /^ADDED=yes$/m);
    assert.not.match(env, /FROM_IMAGE/);
  }));

test('ps has sizes, namespaces and quiet pods; inspect -s too', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await start(tsman, 'web');

    assert.match(await out(tsman, 'ps', '-s'), / SIZE\n.*[\d.]+k?B \(virtual [\d.]+[kM]B\)\n$/);
    assert.match(
      await out(tsman, 'ps', '--namespace'),
      /CGROUPNS +IPC +MNT +NET +PIDNS +USERNS +UTS\n/,
    );
    assert.match(await out(tsman, 'ps', '--pod'), / POD ID +PODNAME\n/);
    assert.match(await out(tsman, 'inspect', '-s', '-f', '{{.SizeRw}}', 'web'), /^\d+\n$/);
  }));

test('mistakes are one line and a hint', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    for (const [args, pattern] of [
      [
        ['run', '--nmae', 'x', PROBE_IMAGE],
        /^Error: unknown option --nmae .*\nhint: did you mean --name\?\n$/,
      ],
      [
        ['stop', 'nobody'],
        /^Error: no container with name or ID "nobody"\nhint: tsman ps -a .*\n$/,
      ],
      [
        ['run', '--pull=never', 'localhost/none'],
        /^Error: [^\n]*localhost\/none[^\n]*\n(hint: [^\n]*\n)?$/,
      ],
      [['stop'], /^Error: which container\?[^\n]*\n$/],
    ] as const) {
      const { exitCode, stderr } = await tsman(...args);
      assert.is(exitCode, 125, args.join(' '));
      assert.match(stderr, pattern);
    }
  }));

test('filters by labels must all hold, and one label is had by its name', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const create = ['create', '--network', 'none', '--label', 'x=1'];
    await tsman(...create, '--name', 'one', PROBE_IMAGE, 'probe');
    await tsman(...create, '--name', 'two', '--label', 'y=2', PROBE_IMAGE, 'probe');
    const names = async (...filters: string[]): Promise<string> => {
      const options = filters.flatMap((filter) => ['--filter', filter]);
      return (await tsman('ps', '-a', '--format', '{{.Names}}', ...options)).stdout;
    };

    assert.is(await names('label=x', 'label=y'), 'two\n');
    assert.is(await names('label=x', 'label!=y'), 'one\n');
    assert.is(await names('label!=x', 'label!=z'), '');
    const table = await tsman('ps', '-a', '--format', 'table {{.Names}} {{.Label "y"}}');
    assert.match(table.stdout, /^NAMES y\ntwo 2\none\s*\n$/);
  }));

test('restart of a --rm container is refused before it is stopped', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman(
      'run',
      '-d',
      '--rm',
      '--network',
      'none',
      '--name',
      'c',
      PROBE_IMAGE,
      'probe',
      'sleep',
    );

    const { exitCode, stderr } = await tsman('restart', '-t', '0', 'c');

    assert.is(exitCode, 125);
    assert.match(stderr, /--rm/);
    assert.is((await tsman('ps', '--format', '{{.Names}}')).stdout, 'c\n');
  }));

test('a start that fails leaves the container as it was', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const bound = scratch.makeDirectory('bound');
    const create = ['--network', 'none', '-v', `${bound}:/bound`, '--name'];
    await tsman('create', ...create, 'new', PROBE_IMAGE, '/nowhere');
    await tsman('run', ...create, 'old', PROBE_IMAGE, 'probe', 'exit', '3');
    const ended = (await tsman('inspect', '--format', '{{.State.FinishedAt}}', 'old')).stdout;
    rmdirSync(bound);

    for (const name of ['new', 'old'])
      for (const options of [[], ['--attach']])
        assert.is((await tsman('start', ...options, name)).exitCode, 125, name);

    const list = await tsman('ps', '-a', '--format', '{{.Names}} {{.State}} {{.ExitCode}}');
    assert.equal(list.stdout.trim().split('\n').sort(), ['new created 0', 'old exited 3']);
    const after = (await tsman('inspect', '--format', '{{.State.FinishedAt}}', 'old')).stdout;
    assert.is(after, ended);
  }));

test.run();
