import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';
import { untilEnded } from '../support/until.ts';
import { answer, ending, eventually, exchange, greeting, nextLine, open } from './clients.ts';
import { PERL, perlIn, server } from './hosts-usr.ts';

const test = suite('a published port');
const MEGABYTE = 1_000_000;

/** Container ports and what their servers do with a connection. The last one listens when all others do. */
const SERVICES: Readonly<Record<number, string>> = {
  81: `<$c>; print $c "x" x ${3 * MEGABYTE}`,
  82: 'while($r=sysread($c,$b,65536)){$n+=$r} print $c $n; $n=0',
  83: '<$c>; setsockopt($c,SOL_SOCKET,SO_LINGER,pack("ii",1,0))',
  84: 'close $s; print $c "only you"; close $c; sleep 60',
  86: '<$c>; print $c "read\\n"; $r=sysread($c,$b,1); $h=defined $r?"end":$!{ECONNRESET}?"reset":"$!"; open F,">/tmp/how"; print F $h; close F',
  87: 'unless(fork){syswrite($c,"x" x 65536) for 1..800;exit}',
  89: 'print $c "hello\\n"; <$c>',
};

const SERVERS = Object.entries(SERVICES)
  .map(
    ([port, handle]) =>
      `pipe R,W;unless(fork){$s=IO::Socket::IP->new(LocalPort=>${port},Listen=>64,ReuseAddr=>1,V6Only=>0,Family=>AF_INET6);
      syswrite W,"+";while($s and $c=$s->accept){${handle};close $c} exit}sysread R,$_,1`,
  )
  .join(';');

/** The host's port of each service, in a container on a network of its own. */
type Ports = Readonly<Record<number, number>>;

function withServices(
  body: (tsman: Tsman, ports: Ports, scratch: Scratch) => Promise<void>,
): () => Promise<void> {
  return () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      await tsman('network', 'create', 'one');
      const publish = Object.keys(SERVICES).flatMap((port) => ['-p', `127.0.0.1::${port}`]);
      const code = `use Errno;use Socket qw(:all);${SERVERS};sleep 60`;
      const run = ['run', '-d', '--name', 'web', '--network', 'one', ...publish, ...PERL, code];
      const { exitCode, stderr } = await tsman(...run);
      assert.is(exitCode, 0, stderr);
      const { stdout } = await tsman('port', 'web');
      const ports = Object.fromEntries(
        [...stdout.matchAll(/^(\d+)\/tcp -> 127\.0\.0\.1:(\d+)$/gm)].map((match) => [
          match[1],
          Number(match[2]),
        ]),
      );
      await eventually('hello', () => greeting(ports[89] ?? 0));
      await body(tsman, ports, scratch);
    });
}

function networkProcess({ runRoot }: Scratch, id: string): number {
  const state = readFileSync(join(runRoot, 'containers', id, 'state'), 'utf8');
  return Number(/^network (\d+)$/m.exec(state)?.[1]);
}

function residentKilobytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

const needs = requires(test, 'userns', 'pasta', 'tun');

needs(
  'brings the whole answer of a server that ends at once, the end of a request, and who speaks first',
  withServices(async (_, ports) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(ports[81] ?? 0)));
    for (const { received, how } of answers)
      assert.equal([received.length, how], [3 * MEGABYTE, 'end']);
    const socket = await open(ports[82] ?? 0);
    socket.end('x'.repeat(5 * MEGABYTE));
    assert.equal(await ending(socket), { received: String(5 * MEGABYTE), how: 'end' });
    const silent = await open(ports[82] ?? 0);
    silent.end();
    assert.equal(await ending(silent), { received: '0', how: 'end' });
  }),
);

needs(
  'passes a reset on in both directions, also of a server that listens no more',
  withServices(async (tsman, ports) => {
    assert.is((await exchange(ports[83] ?? 0)).how, 'ECONNRESET');
    const socket = await open(ports[86] ?? 0);
    socket.write('x\n');
    assert.is(await nextLine(socket), 'read');
    socket.resetAndDestroy();
    await eventually('reset', () => perlIn(tsman, 'web', 'open F,"/tmp/how";print <F>'));
    assert.equal(await exchange(ports[84] ?? 0, ''), { received: 'only you', how: 'end' });
    assert.is((await exchange(ports[84] ?? 0)).how, 'ECONNRESET');
  }),
);

needs(
  'holds little of what a slow client does not read, and loses nothing of it',
  withServices(async (tsman, ports, scratch) => {
    const id = (await tsman('inspect', '-f', '{{.Id}}', 'web')).stdout.trim();
    const pid = networkProcess(scratch, id);
    const sockets = await Promise.all(Array.from({ length: 5 }, () => open(ports[87] ?? 0)));
    const [first, ...others] = sockets.map((socket) => socket.pause());
    assert.ok(first);
    await sleep(500);
    const resident = residentKilobytes(pid);
    assert.ok(resident < 4096, `${resident} kB`);
    for (const other of others) other.destroy();
    const { received, how } = await ending(first);
    assert.equal([received.length, how], [800 * 65536, 'end']);
  }),
);

needs(
  'serves two hundred clients at once',
  withServices(async (_, ports) => {
    // More than the server's queue of 64: some connections to the container wait.
    for (let round = 0; round < 4; round++) {
      const clients = Array.from({ length: 200 }, () => exchange(ports[89] ?? 0));
      const answers = await Promise.all(clients);
      assert.equal(
        [...new Set(answers.map(({ received, how }) => `${received.trim()} ${how}`))],
        ['hello end'],
      );
    }
  }),
);

needs('keeps connections of a container that joins and leaves other networks', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    for (const name of ['one', 'two', 'three']) await tsman('network', 'create', name);
    const networks = ['--network', 'one', '--network', 'two', '-p', '127.0.0.1::80'];
    await tsman('run', '-d', '--name', 'web', ...networks, ...PERL, server(80));
    const port = Number((await tsman('port', 'web', '80')).stdout.split(':').at(-1));
    await eventually('10.89.0.1', () => answer(port));
    const socket = await open(port);
    const neighbour =
      '$|=1;$s=IO::Socket::IP->new(PeerHost=>"web",PeerPort=>80) or die;for(1..30){print $s "x\\n";<$s> or die "lost";select undef,undef,undef,.1}print "kept\\n"';
    await tsman('run', '-d', '--name', 'near', '--network', 'one', ...PERL, neighbour);
    for (const [verb, network] of [
      ['connect', 'three'],
      ['disconnect', 'two'],
      ['disconnect', 'three'],
    ] as const) {
      const { exitCode, stderr } = await tsman('network', verb, network, 'web');
      assert.is(exitCode, 0, stderr);
      socket.write('x\n');
      assert.is(await nextLine(socket), '10.89.0.1');
    }
    assert.is((await tsman('wait', 'near')).stdout.trim(), '0');
    assert.is((await tsman('logs', 'near')).stdout.trim(), 'kept');
    socket.destroy();
  }),
);

for (const userns of ['keep-id', 'auto'])
  requires(
    test,
    'user',
    'userns',
    'subids',
    'pasta',
    'tun',
  )(`reaches a container with --userns ${userns}`, () =>
    withScratch(async (tsman) => {
      await loadProbe(tsman);
      await tsman('network', 'create', 'one');
      const options = ['--userns', userns, '--network', 'one', '-p', '127.0.0.1::8080'];
      const { exitCode, stderr } = await tsman(
        ...['run', '-d', '--name', 'web', ...options, ...PERL],
        server(8080),
      );
      assert.is(exitCode, 0, stderr);
      const port = Number((await tsman('port', 'web', '8080')).stdout.split(':').at(-1));
      await eventually('10.89.0.1', () => answer(port));
    }),
  );

needs('goes on when the up-link is killed, and the next command replaces it', () =>
  withScratch(async (tsman, { runRoot }) => {
    await loadProbe(tsman);
    await tsman('network', 'create', 'one');
    const run = ['run', '-d', '--network', 'one', '-p', '127.0.0.1::80'];
    await tsman(...run, '--name', 'web', ...PERL, server(80));
    const port = Number((await tsman('port', 'web', '80')).stdout.split(':').at(-1));
    const uplink = (): number =>
      Number(readFileSync(join(runRoot, 'net/uplink'), 'utf8').split(' ')[0]);
    const killed = uplink();
    process.kill(killed, 'SIGKILL');
    await untilEnded(killed);
    await eventually('10.89.0.1', () => answer(port));
    const { exitCode, stderr } = await tsman(...run, ...PERL, 'sleep 60');
    assert.is(exitCode, 0, stderr);
    assert.is.not(uplink(), killed);
    process.kill(uplink(), 0);
  }),
);

test.run();
