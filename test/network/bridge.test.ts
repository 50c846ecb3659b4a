import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';
import { untilEnded } from '../support/until.ts';
import { answer, answerDatagram, eventually } from './clients.ts';
import { client, PERL, perlIn, RESOLVE, server } from './hosts-usr.ts';

const test = suite('tsman run --network NAME');
const IDLE = 'sleep 60';

function withNetworks(
  body: (tsman: Tsman, scratch: Scratch) => Promise<void>,
): () => Promise<void> {
  return () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      await tsman('network', 'create', '--ipv6', 'one');
      await tsman('network', 'create', 'two');
      await body(tsman, scratch);
    });
}

async function run(tsman: Tsman, name: string, code: string, ...options: string[]): Promise<void> {
  const result = await tsman('run', '-d', '--name', name, ...options, ...PERL, code);
  assert.is(result.exitCode, 0, result.stderr);
}

function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((it) => it?.family === 'IPv4' && !it.internal)?.address;
}

requires(
  test,
  'userns',
  'pasta',
  'tun',
)(
  'containers find each other by name, alias and id the moment start returns, and only in their network',
  withNetworks(async (tsman) => {
    await run(tsman, 'web', server(80), '--network', 'one', '--network-alias', 'www');
    await run(tsman, 'other', IDLE, '--network', 'one');
    const address = (
      await tsman('inspect', '-f', '{{.NetworkSettings.Networks.one.IPAddress}}', 'web')
    ).stdout.trim();
    for (const name of ['web', 'www', 'web.dns.podman'])
      assert.match(await perlIn(tsman, 'other', RESOLVE(name)), new RegExp(`^${address} fd`));
    await eventually('10.89.0.3', () => perlIn(tsman, 'other', client(address, 80)));
    await run(tsman, 'stranger', IDLE, '--network', 'two');
    assert.is(await perlIn(tsman, 'stranger', RESOLVE('web')), '');
    assert.is(await perlIn(tsman, 'stranger', client(address, 80)), 'failed');
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)(
  'a published port shows the container the address of its client',
  withNetworks(async (tsman) => {
    await run(tsman, 'web', server(80), '--network', 'one', '-p', '80', '-p', '[::1]::80');
    const { stdout } = await tsman('port', 'web', '80');
    const [v4 = '', v6 = ''] = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(':').at(-1) ?? '');
    const own = ownAddress();
    if (own !== undefined) await eventually(own, () => answer(Number(v4), own));
    // A client on loopback has no address that others could answer to: it comes from the bridge's.
    await eventually('10.89.0.1', () => answer(Number(v4)));
    assert.match(await answer(Number(v6), '::1'), /^fd.*::1$/);
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)(
  'connects and disconnects a running container, with its name and its published port',
  withNetworks(async (tsman) => {
    await run(tsman, 'web', server(80), '--network', 'one', '-p', '80');
    await run(tsman, 'other', IDLE, '--network', 'two');
    const port = Number((await tsman('port', 'web', '80')).stdout.trim().split(':').at(-1));
    await eventually('10.89.0.1', () => answer(port));
    assert.is((await tsman('network', 'connect', '--alias', 'db', 'two', 'web')).exitCode, 0);
    await eventually('10.89.1.2', () => perlIn(tsman, 'other', client('db', 80)));
    assert.is((await tsman('network', 'disconnect', 'one', 'web')).exitCode, 0);
    await eventually('10.89.1.1', () => answer(port));
    assert.is((await tsman('network', 'disconnect', 'two', 'web')).exitCode, 0);
    assert.is(await perlIn(tsman, 'other', RESOLVE('db')), '');
    const again = await tsman('network', 'disconnect', 'two', 'web');
    assert.is(again.exitCode, 125);
    assert.match(again.stderr, /is not on network two/);
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)(
  'an internal network has no way out',
  withNetworks(async (tsman) => {
    await tsman('network', 'create', '--internal', 'cell');
    await run(tsman, 'inmate', IDLE, '--network', 'cell', '--cap-add', 'net_admin');
    const routes = await perlIn(
      tsman,
      'inmate',
      'print grep /\\t00000000\\t/, `cat /proc/net/route`',
    );
    assert.is(routes, '');
    assert.match(await perlIn(tsman, 'inmate', RESOLVE('inmate')), /^10\.89\.2\.2/);
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)(
  'addresses, ports and the shared namespace come free whatever is killed',
  withNetworks(async (tsman, { runRoot }) => {
    const options = ['--network', 'one:ip=10.89.0.9', '-p', '18471:80'];
    await run(tsman, 'first', server(80), ...options);
    const monitor = Number((await tsman('inspect', '-f', '{{.State.ConmonPid}}', 'first')).stdout);
    const state = async (name: string): Promise<string> =>
      readFileSync(
        join(runRoot, 'containers', idOf(await tsman('inspect', '-f', '{{.Id}}', name)), 'state'),
        'utf8',
      );
    const networkOf = async (name: string): Promise<number> =>
      Number(/^network (\d+)$/m.exec(await state(name))?.[1]);
    const first = await networkOf('first');
    process.kill(monitor, 'SIGKILL');
    await untilEnded(first);
    await run(tsman, 'second', server(80), ...options);
    const second = await networkOf('second');
    process.kill(second, 'SIGKILL');
    await untilEnded(second);
    const inspect = await tsman('inspect', '-f', '{{.State.Error}}', 'second');
    assert.match(inspect.stdout, /network process .* has ended; tsman network reload second/);
    assert.is((await tsman('restart', '-t', '0', 'second')).exitCode, 0);
    const hub = Number(readFileSync(join(runRoot, 'net/hub'), 'utf8').split(' ')[0]);
    process.kill(hub, 'SIGKILL');
    await untilEnded(hub);
    assert.is((await tsman('restart', '-t', '0', 'second')).exitCode, 0);
    await eventually('10.89.0.1', () => answer(18471));
    await tsman('rm', '-fa');
    assert.not.ok(readdirSync(join(runRoot, 'containers')).length > 0);
  }),
);

function idOf({ stdout }: { readonly stdout: string }): string {
  return stdout.trim();
}

requires(
  test,
  'userns',
  'pasta',
  'tun',
)(
  'refuses addresses that are taken or out of place, and networks that are used',
  withNetworks(async (tsman) => {
    await run(tsman, 'web', IDLE, '--network', 'one:ip=10.89.0.9');
    const taken = await tsman('run', '--rm', '--network', 'one', '--ip', '10.89.0.9', ...PERL, '1');
    assert.is(taken.exitCode, 125);
    assert.match(taken.stderr, /10\.89\.0\.9.*in use\nhint: network inspect shows/);
    const outside = await tsman('run', '--network', 'one', '--ip', '10.1.1.1', ...PERL, '1');
    assert.match(outside.stderr, /is in no subnet of network one/);
    const used = await tsman('network', 'rm', 'one');
    assert.is(used.exitCode, 125);
    assert.match(used.stderr, /is used by container web/);
    assert.is((await tsman('network', 'rm', '-f', 'one')).exitCode, 0);
    assert.is((await tsman('network', 'exists', 'one')).exitCode, 1);
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)(
  'serves many clients at once, and datagrams; a port without a server is refused',
  withNetworks(async (tsman) => {
    const ports = ['-p', '18474:80', '-p', '18475:81', '-p', '127.0.0.1:18476:80/udp'];
    await run(tsman, 'web', server(80), '--network', 'one', ...ports);
    await eventually('10.89.0.1', () => answer(18474));
    const answers = await Promise.all(Array.from({ length: 50 }, () => answer(18474)));
    assert.equal(new Set(answers), new Set(['10.89.0.1']));
    assert.match(await answer(18475).catch((error: Error) => error.message), /ECONNRESET/);
    await tsman('exec', '-d', 'web', '/usr/bin/perl', '-MIO::Socket::IP', '-e', server(80, 'udp'));
    await eventually('10.89.0.1', () => answerDatagram(18476));
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)(
  "a container that shares another one's network has its names, too",
  withNetworks(async (tsman) => {
    await run(tsman, 'web', server(80), '--network', 'one');
    const guest = ['run', '--rm', '--network', 'container:web'];
    const { stdout } = await tsman(...guest, ...PERL, RESOLVE('web'));
    assert.match(stdout, /^10\.89\.0\.2/);
  }),
);

test.run();
