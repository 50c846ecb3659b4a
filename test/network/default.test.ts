import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { untilEnded } from '../support/until.ts';
import { client, PERL } from './hosts-usr.ts';

const test = suite('tsman run on the default network');

function isOffline(): boolean {
  const all = Object.values(networkInterfaces()).flat();
  return !all.some((it) => it?.family === 'IPv4' && !it.internal);
}

requires(
  test,
  'userns',
  'pasta',
  'tun',
)('host.containers.internal reaches a service of the host, but not one on its loopback', () =>
  withScratch(async (tsman) => {
    if (isOffline()) return;
    await loadProbe(tsman);
    for (const [address, expected] of [
      ['0.0.0.0', 'hello\n'],
      ['127.0.0.1', 'failed\n'],
    ] as const) {
      const service = createServer((socket) => socket.end('hello\n'));
      await new Promise<void>((resolve) => service.listen(0, address, resolve));
      const { port } = service.address() as { port: number };
      const ask = client('host.containers.internal', port);
      const { stdout } = await tsman('run', '--rm', ...PERL, ask);
      service.close();
      assert.is(stdout, expected, address);
    }
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)('names who has a port already, before anything is made', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const service = createServer();
    await new Promise<void>((resolve) => service.listen(0, resolve));
    const { port } = service.address() as { port: number };
    const { exitCode, stderr } = await tsman('run', '-p', `${port}:80`, ...PERL, '1');
    service.close();
    assert.is(exitCode, 125);
    assert.match(
      stderr,
      new RegExp(`port ${port}/tcp: the port is in use .* by .* \\(pid ${process.pid}\\)`),
    );
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)('a killed monitor leaves its ports to the next command, a killed pasta is told by inspect', () =>
  withScratch(async (tsman, { runRoot }) => {
    await loadProbe(tsman);
    const run = ['run', '-d', '-p', '18473:80'];
    const first = await tsman(...run, '--name', 'first', ...PERL, 'sleep 60');
    const monitor = await tsman('inspect', '-f', '{{.State.ConmonPid}}', 'first');
    const state = (id: string): string =>
      readFileSync(join(runRoot, 'containers', id, 'state'), 'utf8');
    const networkOf = (id: string): number => Number(/^network (\d+)$/m.exec(state(id))?.[1]);
    process.kill(Number(monitor.stdout), 'SIGKILL');
    await untilEnded(networkOf(first.stdout.trim()));
    const second = await tsman(...run, '--name', 'second', ...PERL, 'sleep 60');
    assert.is(second.exitCode, 0, second.stderr);
    const network = networkOf(second.stdout.trim());
    process.kill(network, 'SIGKILL');
    await untilEnded(network);
    const inspect = await tsman('inspect', '-f', '{{.State.Error}}', 'second');
    assert.match(inspect.stdout, /network process .* has ended/);
    assert.is((await tsman('restart', '-t', '0', 'second')).exitCode, 0);
    assert.is((await tsman('inspect', '-f', '{{.State.Error}}', 'second')).stdout, '\n');
  }),
);

test.run();
