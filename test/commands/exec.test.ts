import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { until } from '../support/until.ts';

const test = suite('tsman exec');
const inBox = requires(test, 'userns');

/** Gives the body a running container `c`. */
function withContainer(
  body: (tsman: Tsman, scratch: Scratch) => Promise<void>,
): () => Promise<void> {
  return () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      const run = ['run', '-d', '--network=none', '--name=c', PROBE_IMAGE, '/bin/probe', 'sleep'];
      const { exitCode, stderr } = await tsman(...run);
      assert.is(exitCode, 0, stderr);
      await body(tsman, scratch);
    });
}

async function eventsOf(tsman: Tsman, session: string): Promise<string[]> {
  const format = '--format={{.Status}} {{.ContainerExitCode}} {{index .Attributes "execID"}}';
  const { stdout } = await tsman('events', '--stream=false', '--filter=container=c', format);
  return stdout.split('\n').filter((line) => line.includes('exec') && line.includes(session));
}

inBox(
  'ends with the code of the command, or says why there is none',
  withContainer(async (tsman) => {
    for (const [args, code, pattern] of [
      [['c', 'probe', 'exit', '9'], 9, /^$/],
      [['c', 'probe', 'kill', '15'], 143, /^$/],
      [['c', 'nosuch'], 127, /exec nosuch: no such file/],
      [['c', '/etc/passwd'], 126, /passwd: permission denied/],
      [['-w', '/nope', 'c', 'probe'], 127, /\/nope/],
      [['-u', 'nobody-here', 'c', 'probe'], 126, /nobody-here/],
      [['-u', ':no-group', 'c', 'probe'], 126, /group no-group/],
      [['--preserve-fds', '2', 'c', 'probe'], 125, /3 is to be passed on but is not open/],
      [['nobody', 'probe'], 125, /no container with name/],
      [['c'], 125, /which command/],
    ] as const) {
      const { exitCode, stderr } = await tsman('exec', ...args);
      assert.is(exitCode, code, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, pattern);
    }
  }),
);

inBox(
  'is in the events: its beginning, and its end with the code',
  withContainer(async (tsman) => {
    await tsman('exec', 'c', 'probe', 'exit', '3');
    assert.equal(
      (await eventsOf(tsman, '')).map((line) => line.replace(/ [0-9a-f]{64}$/, '')),
      ['exec 0', 'exec_died 3'],
    );
    await tsman('exec', 'c', 'nosuch');
    assert.is((await eventsOf(tsman, '')).length, 2);
  }),
);

inBox(
  '-d prints an ID by which the events tell the end, with -t too',
  withContainer(async (tsman) => {
    for (const options of [['-d'], ['-dt'], ['-dit']]) {
      const { stdout, exitCode } = await tsman('exec', ...options, 'c', 'probe', 'exit', '4');
      assert.is(exitCode, 0);
      assert.match(stdout, /^[0-9a-f]{64}\n$/);
      await until(
        'its end is told',
        async () => (await eventsOf(tsman, stdout.trim())).length === 2,
      );
      assert.is((await eventsOf(tsman, stdout.trim()))[1], `exec_died 4 ${stdout.trim()}`);
    }
    const failed = await tsman('exec', '-d', 'c', 'nosuch');
    assert.is(failed.exitCode, 127);
    assert.is(failed.stdout, '');

    await tsman('exec', '-dt', 'c', 'probe', 'sleep');
    await tsman('exec', '-d', 'c', 'probe', 'sleep');
    const { stdout } = await tsman('top', 'c', 'tty,args');
    assert.match(stdout, /^pts\/0 +probe sleep$/m);
    assert.match(stdout, /^\? +probe sleep$/m);
  }),
);

/** What tsman prints that has this descriptor as 3, and as 4, which nobody names. */
async function saidWith(fd: number, args: readonly string[], scratch: Scratch): Promise<string> {
  const child = spawn(tsmanPath(), args, {
    stdio: ['ignore', 'pipe', 'inherit', fd, fd],
    env: { ...process.env, ...tsmanEnv(scratch) },
  });
  let said = '';
  child.stdout?.on('data', (bytes) => {
    said += String(bytes);
  });
  const [code] = await once(child, 'close');
  assert.is(code, 0, said);
  return said;
}

for (const verb of ['exec', 'run'] as const) {
  inBox(
    `${verb} passes on the descriptors that are named, and no other`,
    withContainer(async (_tsman, scratch) => {
      const target = verb === 'exec' ? ['c'] : ['--rm', '--network=none', PROBE_IMAGE];
      const file = join(scratch.makeDirectory('fds'), 'three');
      writeFileSync(file, 'through three');
      const fd = openSync(file, 'r');
      for (const option of ['--preserve-fds=1', '--preserve-fd=3']) {
        const args = [verb, option, ...target, 'probe', 'cat', '/dev/fd/3'];
        assert.is(await saidWith(fd, args, scratch), 'through three');
      }
      const said = await saidWith(
        fd,
        [verb, '--preserve-fds=1', ...target, 'probe', 'fds'],
        scratch,
      );
      closeSync(fd);
      assert.equal(
        said
          .trim()
          .split('\n')
          .map((line) => line.split(' ')[0]),
        ['0', '1', '2', '3'],
      );
    }),
  );
}

inBox(
  'by a client that was stopped does not keep rm -f from ending the container',
  withContainer(async (tsman, scratch) => {
    const client = spawn(tsmanPath(), ['exec', 'c', 'probe', 'sleep'], {
      stdio: 'ignore',
      env: { ...process.env, ...tsmanEnv(scratch) },
    });
    await until('it runs', async () => (await eventsOf(tsman, '')).length === 1);
    const gone = once(client, 'exit');
    client.kill('SIGSTOP');

    const { exitCode, stderr } = await tsman('rm', '-f', 'c');
    assert.is(exitCode, 0, stderr);
    const [code] = await gone;
    assert.is(code, 137);
  }),
);

test.run();
