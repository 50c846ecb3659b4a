import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman container clone');
const inBox = requires(test, 'userns');

async function out(tsman: Tsman, ...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await tsman(...args);
  assert.is(exitCode, 0, stderr);
  return stdout.trim();
}

inBox('copies command, limits, secrets and users, and has files and limits of its own', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const secret = join(scratch.makeDirectory('s'), 'secret');
    writeFileSync(secret, 'hush');
    await out(tsman, 'secret', 'create', 'pass', secret);
    const options = ['--network=none', '--user=4321', '--secret=pass', '--env=A=b'];
    await out(
      tsman,
      'create',
      '--name=web',
      ...options,
      PROBE_IMAGE,
      '/bin/probe',
      'cat',
      '/run/secrets/pass',
      '/etc/passwd',
    );

    const id = await out(tsman, 'container', 'clone', '--cpus=1.5', '-m', '128m', 'web');
    const format = '{{.Name}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.Config.User}}';
    assert.is(await out(tsman, 'inspect', '-f', format, id), 'web-clone 134217728 1500000000 4321');
    assert.is(await out(tsman, 'inspect', '-f', '{{.HostConfig.Memory}}', 'web'), '0');
    const plain = await out(tsman, 'container', 'clone', '--name=plain', 'web');
    await out(tsman, 'rm', 'web');
    assert.match(await out(tsman, 'start', '-a', plain), /^hush.*\n4321:\*:4321:0:/s);
  }),
);

inBox('of what runs gives way with --destroy --force, and --run starts it', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await out(
      tsman,
      'run',
      '-d',
      '--network=none',
      '--name=web',
      PROBE_IMAGE,
      '/bin/probe',
      'sleep',
    );

    for (const [args, pattern] of [
      [['--destroy', 'web'], /web is running\nhint: use --force/],
      [['--force', 'web'], /--force .*needs --destroy/],
      [['web', 'web'], /name "web" is in use/],
      [['web', '-x-'], /unknown option|invalid/],
      [['nobody'], /no container with name/],
      [['--pod=p', 'web'], /pods/],
    ] as const) {
      const { exitCode, stderr } = await tsman('container', 'clone', ...args);
      assert.is(exitCode, 125, args.join(' '));
      assert.match(stderr, pattern);
    }
    assert.is(await out(tsman, 'ps', '-a', '--format={{.Names}}'), 'web');

    await out(tsman, 'container', 'clone', '--destroy', '-f', '--run', 'web', 'web2');
    assert.is(await out(tsman, 'ps', '-a', '--format={{.Names}} {{.State}}'), 'web2 running');
  }),
);

inBox('with another image has its files, and the old command', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await out(
      tsman,
      'create',
      '--network=none',
      '--name=web',
      PROBE_IMAGE,
      '/bin/probe',
      'cat',
      '/new',
    );
    await out(
      tsman,
      'run',
      '--network=none',
      '--name=maker',
      PROBE_IMAGE,
      '/bin/probe',
      'write',
      '/new',
      'x',
    );
    await out(tsman, 'commit', 'maker', 'localhost/newer');

    await out(tsman, 'container', 'clone', 'web', 'web2', 'localhost/newer');
    assert.is(
      await out(tsman, 'inspect', '-f', '{{.ImageName}}', 'web2'),
      'localhost/newer:latest',
    );
    const start = await tsman('start', '-a', 'web2');
    assert.is(start.exitCode, 0, start.stderr);
    assert.is.not((await tsman('start', '-a', 'web')).exitCode, 0);
    const missing = await tsman('container', 'clone', 'web', 'web3', 'localhost/absent');
    assert.is(missing.exitCode, 125);
    assert.is((await tsman('container', 'exists', 'web3')).exitCode, 1);
  }),
);

test.run();
