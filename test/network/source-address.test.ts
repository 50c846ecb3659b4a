import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { PERL, patiently, server } from './hosts-usr.ts';

const test = suite('the client that a container sees');

/** A host of its own, with two addresses of each family on loopback's interface and nothing else. */
const HOST = [
  'ip link set lo up',
  ...['10.77.0.1/24', '10.77.0.5/24', 'fd77::1/64 nodad', 'fd77::5/64 nodad'].map(
    (address) => `ip addr add dev lo ${address}`,
  ),
].join('\n');

/** From one address of the host to another, by both protocols: what the server says it saw. */
function asking(from: string, to: string): string {
  const peer = `PeerHost=>"${to}",PeerPort=>18480,LocalHost=>"${from}",Timeout=>2`;
  return `use IO::Socket::IP;for(qw(tcp udp)){$s=IO::Socket::IP->new(${peer},Proto=>$_) or die "$_: $@";
    print $s "x\\n";$s->blocking(1);alarm 5;$s->recv($a,99);$a=~s/\\s//g;length $a or die;print "$_ $a\\n"}`;
}

function quoted(...words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

const BOTH = `if(fork){${server(80)}}else{${server(80, 'udp')}}`;

/** What the servers of a container saw, `ask` after `ask`. */
async function seen(options: string, asks: readonly string[]): Promise<string> {
  let output = '';
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const run = ['run', '-d', '--name', 'web', ...options.split(' ')];
    const publish = ['-p', '18480:80', '-p', '18480:80/udp'];
    const script = [
      HOST,
      'set -e',
      `${quoted(tsmanPath(), 'network', 'create', '--ipv6', 'one')} >/dev/null`,
      `${quoted(tsmanPath(), ...run, ...publish, ...PERL, BOTH)} >/dev/null`,
      ...asks.map((ask) => patiently(quoted('perl', '-e', ask))),
      `${quoted(tsmanPath(), 'rm', '-f', '-t', '0', 'web')} >/dev/null`,
    ].join('\n');
    const { stdout, stderr } = await execa('unshare', ['-Urn', 'sh', '-c', script], {
      reject: false,
      timeout: 120_000,
      env: tsmanEnv(scratch),
    });
    output = stdout.replaceAll('::ffff:', '').trim() || stderr;
  });
  return output;
}

const needs = requires(test, 'user', 'userns', 'pasta', 'tun');

needs('has its own address on a bridge network, of both families and protocols', async () =>
  assert.is(
    await seen('--network one', [
      asking('10.77.0.5', '10.77.0.1'),
      asking('fd77::5', 'fd77::1'),
      asking('127.0.0.1', '127.0.0.1'),
    ]),
    'tcp 10.77.0.5\nudp 10.77.0.5\ntcp fd77::5\nudp fd77::5\ntcp 10.89.0.1\nudp 10.89.0.1',
  ),
);

needs('has its own address on the default network', async () =>
  assert.is(
    await seen('--network default', [
      asking('10.77.0.5', '10.77.0.1'),
      asking('127.0.0.1', '127.0.0.1'),
    ]),
    'tcp 10.77.0.5\nudp 10.77.0.5\ntcp 10.88.0.1\nudp 10.88.0.1',
  ),
);

test.run();
