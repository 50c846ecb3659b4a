import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSlirp, slirpAddresses } from '../../src/network/slirp4netns.ts';
import { loadProbe } from '../support/probe.ts';
import { findProgram } from '../support/programs.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { untilEnded } from '../support/until.ts';
import { answer, eventually } from './clients.ts';
import { client, PERL, perlIn, server } from './hosts-usr.ts';

const test = suite('--network slirp4netns');
const isInstalled = findProgram('slirp4netns') !== undefined;

requires(
  test,
  'userns',
  'tun',
)('gives a container addresses, ports and the host, and ends with it, also with its monitor', () =>
  withScratch(async (tsman) => {
    if (!isInstalled) return;
    await loadProbe(tsman);
    const network = ['--network', 'slirp4netns:cidr=10.44.0.0/24', '-p', '18571:80'];
    const run = (name: string): ReturnType<typeof tsman> =>
      tsman('run', '-d', '--name', name, ...network, ...PERL, server(80));
    const first = await run('first');
    assert.is(first.exitCode, 0, first.stderr);
    const { stdout } = await tsman('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'first');
    assert.is(stdout.trim(), '10.44.0.100');
    await eventually('10.44.0.2', () => answer(18571));
    const own = Object.values(networkInterfaces())
      .flat()
      .find((it) => it?.family === 'IPv4' && !it.internal)?.address;
    if (own !== undefined) {
      const service = createServer((socket) => socket.end('hello\n'));
      await new Promise<void>((resolve) => service.listen(0, '0.0.0.0', resolve));
      const { port } = service.address() as { port: number };
      await eventually('hello', () =>
        perlIn(tsman, 'first', client('host.containers.internal', port)),
      );
      // allow_host_loopback is off.
      assert.is(await perlIn(tsman, 'first', client('10.44.0.2', port)), 'failed');
      service.close();
    }
    const monitor = await tsman('inspect', '-f', '{{.State.ConmonPid}}', 'first');
    process.kill(Number(monitor.stdout), 'SIGKILL');
    await untilEnded(Number(monitor.stdout));
    const second = await run('second');
    assert.is(second.exitCode, 0, second.stderr);
  }),
);

test('its options are checked', () => {
  if (isInstalled) checkSlirp('slirp4netns:mtu=1500,allow_host_loopback=true,enable_ipv6=true');
  for (const bad of ['port_handler=rootlesskit', 'mtu=x', 'colour=red', 'enable_ipv6=maybe'])
    assert.throws(() => checkSlirp(`slirp4netns:${bad}`), /is not possible/);
  assert.throws(() => checkSlirp('slirp4netns:mtu'), /is not NAME=VALUE/);
  assert.equal(slirpAddresses('slirp4netns'), {
    guest: '10.0.2.100',
    gateway: '10.0.2.2',
    resolver: '10.0.2.3',
    prefix: 24,
  });
});

test.run();
