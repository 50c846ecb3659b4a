import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { answer, eventually } from './clients.ts';
import { server } from './hosts-usr.ts';

const test = suite("a container's network and its own steps at the start");
const needs = requires(test, 'userns', 'pasta', 'tun');

/** Copying them up keeps the container busy until long after its network is there. */
const MANY = 4000;

needs('a published port answers over IPv6 also when the container sets up its loopback late', () =>
  withScratch(async (tsman, { makeDirectory }) => {
    const rootfs = makeDirectory('rootfs');
    for (const name of ['usr', 'lib', 'lib64', 'many']) mkdirSync(join(rootfs, name));
    for (let i = 0; i < MANY; i++) writeFileSync(join(rootfs, 'many', String(i)), '');
    const volumes = ['-v', '/usr:/usr:ro', '-v', '/usr/lib:/lib:ro', '-v', '/usr/lib64:/lib64:ro'];
    const perl = ['/usr/bin/perl', '-MIO::Socket::IP', '-e', server(80)];
    const { exitCode, stderr } = await tsman(
      ...['run', '-d', '--tmpfs', '/many', '-p', '[::1]:18484:80', '-p', '127.0.0.1:18484:80'],
      ...[...volumes, '--rootfs', rootfs, ...perl],
    );
    assert.is(exitCode, 0, stderr);

    await eventually('10.88.0.1', () => answer(18484));
    assert.match(await answer(18484, '::1'), /^fd[\da-f:]+::1$/);
  }),
);

needs('runs without IPv6 where a sysctl forbids it, on networks that have it', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('network', 'create', '--ipv6', 'six');
    const run = ['run', '-d', '--name', 'c', '-p', '[::1]::80', '--network', 'podman'];
    const sysctl = ['--sysctl', 'net.ipv6.conf.all.disable_ipv6=1'];
    const { exitCode, stderr } = await tsman(...run, ...sysctl, PROBE_IMAGE, 'probe', 'sleep');
    assert.is(exitCode, 0, stderr);
    assert.is((await tsman('network', 'connect', 'six', 'c')).exitCode, 0);
    assert.is((await tsman('network', 'reload', 'c')).exitCode, 0);

    const { stdout } = await tsman('exec', 'c', 'probe', 'cat', '/proc/net/if_inet6');
    assert.is(stdout, '');
    const { stdout: routes } = await tsman('exec', 'c', 'probe', 'cat', '/proc/net/route');
    assert.match(routes, /^eth0\t00000000\t/m);
    assert.match(routes, /^eth1\t/m);
  }),
);

needs('sysctls of an interface find it', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const file = '/proc/sys/net/ipv4/conf/eth0/rp_filter';
    const sysctl = ['--sysctl', 'net.ipv4.conf.eth0.rp_filter=2'];
    for (const network of ['podman', 'pasta:-I,eth0']) {
      const run = ['run', '--rm', '--network', network, ...sysctl, PROBE_IMAGE];
      const { stdout, stderr } = await tsman(...run, 'probe', 'cat', file);
      assert.is(stdout, '2\n', stderr);
    }
  }),
);

test.run();
