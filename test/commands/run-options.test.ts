import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OptionSpec } from '../../src/commands/command.ts';
import { optionName, parseArguments } from '../../src/commands/parse.ts';
import { runCommand } from '../../src/commands/run.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withScratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';

const test = suite('options of run');

interface Row {
  readonly name: string;
  readonly how: string;
  readonly note: string;
}

/** The table of docs/run-options.md. */
function documented(): Row[] {
  const text = readFileSync('docs/run-options.md', 'utf8');
  return [...text.matchAll(/^\| `--([a-z0-9-]+)` \| ([a-z]+) \| (.*) \|$/gm)].map(
    ([, name = '', how = '', note = '']) => ({ name, how, note }),
  );
}

const known = new Map<string, OptionSpec>(
  Object.entries(runCommand.options).map(([key, spec]) => [optionName(key), spec]),
);

function reasonOf(spec: OptionSpec | undefined): string | undefined {
  return spec !== undefined && 'refusedBecause' in spec ? String(spec.refusedBecause) : undefined;
}

test("are documented: all of podman run's 152", () => {
  const rows = documented();

  assert.ok(rows.length >= 152, `${rows.length} rows`);
  assert.is(new Set(rows.map(({ name }) => name)).size, rows.length, 'one is there twice');
});

test('are known to the parser, every one in the table', () => {
  for (const { name } of documented()) {
    if (name === 'help') continue;
    const value = known.get(name)?.kind === 'flag' ? [] : ['x'];
    const words =
      known.get(name) !== undefined && value.length > 0 ? [`--${name}=x`] : [`--${name}`];
    assert.not.throws(() => parseArguments(runCommand, [...words, 'image']), undefined, name);
  }
});

test('are refused exactly where the table says so, with that reason', () => {
  const rows = new Map(documented().map((row) => [row.name, row]));
  for (const [name, spec] of known) {
    const reason = reasonOf(spec);
    const row = rows.get(name);
    if (reason !== undefined) assert.equal([row?.how, row?.note], ['refused', reason], name);
    else if (spec.hidden !== true) assert.is(row?.how, 'works', name);
  }
});

test('that are refused exit with 125 and one line', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    for (const [option, pattern] of [
      ['--pod=web', /pods do not exist/],
      ['--oom-kill-disable', /cgroup v2/],
      ['--log-driver=local', /local is not supported/],
    ] as const) {
      const { exitCode, stderr } = await tsman('run', option, PROBE_IMAGE, '/bin/probe');

      assert.is(exitCode, 125, option);
      assert.match(stderr, pattern);
      assert.match(stderr, /^Error: option --[^\n]*\n(hint: [^\n]*\n)?$/);
    }
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }));

test('for the files of users, names and hosts do what they say', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const inside = async (...args: string[]): Promise<string> => {
      const { stdout, stderr, exitCode } = await tsman('run', '--rm', '--network=none', ...args);
      assert.is(exitCode, 0, stderr);
      return stdout;
    };
    const probe = [PROBE_IMAGE, '/bin/probe'];

    const users = await inside('--user=4321:88', '-w', '/tmp', ...probe, 'cat', '/etc/passwd');
    assert.match(users, /^4321:\*:4321:88:container user:\/tmp:\/bin\/sh$/m);
    const entry = ['--passwd-entry', '$USERNAME:x:$UID:$GID:me:/home/me:/bin/probe'];
    const own = await inside('--user=4321', ...entry, ...probe, 'cat', '/etc/passwd');
    assert.match(own, /^4321:x:4321:0:me:\/home\/me:\/bin\/probe$/m);
    const without = await inside('--user=4321', '--passwd=false', ...probe, 'cat', '/etc/passwd');
    assert.not.match(without, /4321/);
    assert.match(await inside('--user=4321:88', ...probe, 'cat', '/etc/group'), /^88:x:88:4321$/m);
    const merged = await inside('--env-merge', 'PATH=$PATH:/x', ...probe, 'env');
    assert.match(merged, /^PATH=\/bin:\/x$/m);
    const mounts = await inside('--systemd=always', ...probe, 'mounts');
    for (const path of ['/run', '/run/lock', '/tmp', '/var/log/journal'])
      assert.match(mounts, new RegExp(` ${path} [^\n]* - tmpfs `));
    const proc = await inside('--security-opt=proc-opts=hidepid=2', ...probe, 'mounts');
    assert.match(proc, / \/proc .*hidepid=/);
  }));

test('--cap-add reaches a program that does not run as root, and nothing else does', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const caps = async (...options: string[]): Promise<string> => {
      const run = ['run', '--rm', '--network=none', ...options, PROBE_IMAGE, '/bin/probe'];
      return (await tsman(...run, 'status', 'CapEff', 'CapAmb')).stdout;
    };

    const netAdmin = '0000000000001000';
    assert.is(
      await caps('--user=1000', '--cap-add=NET_ADMIN'),
      `CapEff:\t${netAdmin}\nCapAmb:\t${netAdmin}\n`,
    );
    const none = '0000000000000000';
    assert.is(await caps('--user=1000'), `CapEff:\t${none}\nCapAmb:\t${none}\n`);
    assert.match(await caps('--cap-add=NET_ADMIN'), /CapAmb:\t0{16}\n/);
  }));

test('--rmi removes the image with the container', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);

    const { exitCode } = await tsman('run', '--rmi', PROBE_IMAGE, '/bin/probe', 'exit', '3');

    assert.is(exitCode, 3);
    assert.is((await tsman('images', '-q')).stdout + (await tsman('ps', '-aq')).stdout, '');
  }));

test('--rmi removes the image after a container in the background too, unless it is used', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const run = ['run', '-d', '--rmi', '--network=none', PROBE_IMAGE, '/bin/probe', 'sleep'];
    await tsman('create', '--name', 'user', PROBE_IMAGE);
    const first = (await tsman(...run)).stdout.trim();
    await tsman('stop', '-t', '0', first);
    const second = (await tsman(...run)).stdout.trim();
    await tsman('rm', 'user');
    assert.is((await tsman('images', '-q')).stdout.trim().split('\n').length, 1);

    await tsman('stop', '-t', '0', second);
    await until('the image is gone', async () => (await tsman('images', '-q')).stdout === '');
    assert.is((await tsman('images', '-q')).stdout + (await tsman('ps', '-aq')).stdout, '');
  }));

test('--requires starts what is needed and protects it', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const probe = [PROBE_IMAGE, '/bin/probe', 'sleep'];
    await tsman('create', '--network=none', '--name', 'db', ...probe);
    await tsman('run', '-d', '--network=none', '--name', 'web', '--requires', 'db', ...probe);

    assert.is((await tsman('inspect', '-f', '{{.State.Status}}', 'db')).stdout, 'running\n');
    assert.match((await tsman('rm', '-f', 'db')).stderr, /db is needed by container web/);
    // One that is there no more needs nothing.
    await tsman('run', '-d', '--network=none', '--name', 'alone', ...probe);
    await tsman('run', '--rm', '--network=none', '--pid=container:alone', PROBE_IMAGE);
    assert.is((await tsman('rm', '-f', '-t', '0', 'alone')).stderr, '');
    assert.is((await tsman('rm', '-f', '--depend', 'db')).exitCode, 0);
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }));

test.run();
