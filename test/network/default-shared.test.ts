import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasIPv6Route } from '../../src/network/private-addresses.ts';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';
import { until } from '../support/until.ts';
import { eventually } from './clients.ts';
import { client, PERL, perlIn, RESOLVE, server } from './hosts-usr.ts';

const test = suite('the default network, which containers share');
const IDLE = 'sleep 60';
const needs = requires(test, 'userns', 'pasta', 'tun');
const ADDRESS = '{{.NetworkSettings.Networks.podman.IPAddress}}';

async function run(tsman: Tsman, name: string, code: string, ...options: string[]): Promise<void> {
  const result = await tsman('run', '-d', '--name', name, ...options, ...PERL, code);
  assert.is(result.exitCode, 0, result.stderr);
}

async function inspect(tsman: Tsman, name: string, format: string): Promise<string> {
  return (await tsman('inspect', '-f', format, name)).stdout.trim();
}

/** The pid that a file below the run root begins with. */
function pidIn({ runRoot }: Scratch, ...path: string[]): number {
  return Number.parseInt(readFileSync(join(runRoot, ...path), 'utf8'), 10);
}

/** One line to an address of the host's, and what the answer is. */
function askFrom(host: string, port: number, protocol: string): string {
  return `use IO::Socket::IP;$s=IO::Socket::IP->new(PeerHost=>"${host}",PeerPort=>${port},Proto=>"${protocol}",
    Timeout=>2) or die $@;print $s "x\n";alarm 5;$s->recv($a,99);$a=~s/\\s//g;print $a`;
}

async function runPerl(code: string): Promise<string> {
  return (await execa('perl', ['-e', code], { reject: false })).stdout;
}

async function listen(address: string): Promise<Server> {
  const service = createServer((socket) => socket.end('hello\n'));
  await new Promise<void>((resolve) => service.listen(0, address, resolve));
  return service;
}

needs("two containers have one pasta, addresses and no names, and not each other's loopback", () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await run(tsman, 'web', server(80).replace('LocalPort', 'LocalHost=>"::1",LocalPort'));
    await run(tsman, 'open', server(81));
    const uplink = pidIn(scratch, 'net', 'uplink');
    await run(tsman, 'other', IDLE, '--ip', '10.88.7.7', '--mac-address', '02:00:00:00:00:09');
    assert.is(pidIn(scratch, 'net', 'uplink'), uplink);
    assert.is(await inspect(tsman, 'other', ADDRESS), '10.88.7.7');
    assert.is(
      await inspect(tsman, 'other', '{{.NetworkSettings.Networks.podman.MacAddress}}'),
      '02:00:00:00:00:09',
    );
    assert.is(await perlIn(tsman, 'other', RESOLVE('open')), '');
    const address = await inspect(tsman, 'open', ADDRESS);
    await eventually('10.88.7.7', () => perlIn(tsman, 'other', client(address, 81)));
    // On its own loopback only: neither there nor at its address.
    assert.is(await perlIn(tsman, 'other', client('::1', 80)), 'failed');
    assert.is(
      await perlIn(tsman, 'other', client(await inspect(tsman, 'web', ADDRESS), 80)),
      'failed',
    );
    const { stdout } = await tsman('network', 'inspect', 'bridge');
    const [network] = JSON.parse(stdout) as { name: string; containers: Record<string, unknown> }[];
    assert.is(network?.name, 'podman');
    assert.is(Object.keys(network?.containers ?? {}).length, 3);
  }),
);

needs('containers leave and join it while they run; networks stay apart', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('network', 'create', 'own');
    await run(tsman, 'a', server(80));
    await run(tsman, 'b', IDLE, '--network', 'own');
    const address = await inspect(tsman, 'a', ADDRESS);
    assert.is(await perlIn(tsman, 'b', client(address, 80)), 'failed');
    assert.is((await tsman('network', 'connect', 'bridge', 'b')).exitCode, 0);
    await eventually(await inspect(tsman, 'b', ADDRESS), () =>
      perlIn(tsman, 'b', client(address, 80)),
    );
    assert.is((await tsman('network', 'disconnect', 'podman', 'b')).exitCode, 0);
    assert.is(await perlIn(tsman, 'b', client(address, 80)), 'failed');
    assert.is(await inspect(tsman, 'b', '{{json .NetworkSettings.Networks.podman}}'), 'null');
  }),
);

needs('whatever of it is killed, inspect says so and the next command mends it', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const own = Object.values(networkInterfaces()).flat();
    if (!own.some((it) => it?.family === 'IPv4' && !it.internal)) return;
    const service = await listen('0.0.0.0');
    const { port } = service.address() as { port: number };
    const reaches = (name: string): Promise<void> =>
      eventually('hello', () => perlIn(tsman, name, client('host.containers.internal', port)));
    const error = (): Promise<string> => inspect(tsman, 'a', '{{.State.Error}}');
    const says = (): Promise<void> =>
      until('inspect says so', async () => /network reload a/.test(await error()));
    try {
      await run(tsman, 'a', IDLE, '--ip', '10.88.0.50');
      await reaches('a');
      process.kill(pidIn(scratch, 'net', 'uplink'), 'SIGKILL');
      await says();
      assert.is((await tsman('network', 'reload', 'a')).exitCode, 0);
      assert.is(await error(), '');
      await reaches('a');

      process.kill(pidIn(scratch, 'net', 'hub'), 'SIGKILL');
      await says();
      assert.is((await tsman('restart', '-t0', 'a')).exitCode, 0);
      await reaches('a');

      const id = await inspect(tsman, 'a', '{{.Id}}');
      process.kill(pidIn(scratch, 'containers', id, 'net.pid'), 'SIGKILL');
      await says();
      const { stdout } = await tsman('events', '--since', '1m', '--stream=false');
      assert.match(stdout, /network_died/);
      // Its address is free at once.
      await run(tsman, 'c', IDLE, '--ip', '10.88.0.50');
      await reaches('c');
    } finally {
      service.close();
    }
  }),
);

needs('IPv6 leads to the host where the host has a way out by it, and not to its loopback', () =>
  withScratch(async (tsman) => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((it) => it?.family === 'IPv6' && !it.internal && it.scopeid === 0)?.address;
    if (own === undefined || !hasIPv6Route()) return;
    await loadProbe(tsman);
    const both = `if(fork){${server(80)}}else{${server(80, 'udp')}}`;
    await run(tsman, 'web', both, '-p', '18483:80', '-p', '18483:80/udp');
    // Who asks from the host by IPv6 is seen with that address, too.
    for (const protocol of ['tcp', 'udp']) {
      await eventually(own, () => runPerl(askFrom(own, 18483, protocol)));
    }
    const service = await listen('::');
    const inner = await listen('::1');
    const port = (one: Server): number => (one.address() as { port: number }).port;
    try {
      await run(tsman, 'a', IDLE);
      await eventually('hello', () => perlIn(tsman, 'a', client(own, port(service))));
      for (const host of [own, 'fd74:736d:616e::1'])
        assert.is(await perlIn(tsman, 'a', client(host, port(inner))), 'failed');
    } finally {
      service.close();
      inner.close();
    }
  }),
);

needs('a container on an internal network needs no pasta', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await tsman('network', 'create', '--internal', 'inner');
    await run(tsman, 'a', IDLE, '--network', 'inner');
    assert.throws(() => pidIn(scratch, 'net', 'uplink'), /ENOENT/);
  }),
);

test.run();
