import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE, probeDirectory } from '../support/probe.ts';
import { runProgram } from '../support/programs.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { answerDatagram, eventually, exchange, greeting } from './clients.ts';
import { PERL } from './hosts-usr.ts';

const test = suite('tsman run -p');

/** Values that both engines accept and that choose nothing by themselves. */
const PUBLISHED: readonly (readonly string[])[] = [
  ['18601:80'],
  ['127.0.0.1:18601:80', '18602:81/udp', '18602:81/tcp'],
  ['18610-18614:80-84'],
  ['18601:80/udp'],
  ['127.0.0.1:18620-18621:8000-8001/udp', '18601:79'],
];

requires(
  test,
  'user',
  'podman',
)('shows ports in ps and inspect as Podman does', () =>
  withScratch(async (tsman, { root }) => {
    const storage = mkdtempSync(join(root, 'podman'));
    const podman = (...args: readonly string[]): Promise<string> =>
      runProgram('podman', [
        ...['--root', storage, '--runroot', storage, '--log-level', 'error'],
        ...['--storage-driver', 'vfs', ...args],
      ]);
    await loadProbe(tsman);
    await podman('load', '-q', '-i', join(await probeDirectory(), 'probe.tar'));
    for (const [index, values] of PUBLISHED.entries()) {
      const publish = values.flatMap((value) => ['-p', value]);
      const create = ['create', '--name', `c${index}`, ...publish, PROBE_IMAGE, 'true'];
      assert.is((await tsman(...create)).exitCode, 0, values.join(' '));
      await podman(...create);
      const inspect = ['inspect', '-f', '{{json .HostConfig.PortBindings}}', `c${index}`];
      assert.equal(
        JSON.parse((await tsman(...inspect)).stdout),
        JSON.parse(await podman(...inspect)),
      );
    }
    const ps = ['ps', '-a', '--sort', 'names', '--format', '{{.Names}} {{.Ports}}'];
    assert.equal(sortedPorts((await tsman(...ps)).stdout), sortedPorts(await podman(...ps)));
  }),
);

/** Podman's order is not the same each time. */
function sortedPorts(text: string): string[][] {
  return text.split('\n').map((line) => line.split(/, | (?=\d)/).sort());
}

const REFUSED: readonly (readonly [values: readonly string[], message: RegExp])[] = [
  [['203.0.113.9:18631:80'], /18631\/tcp: the host has no address 203\.0\.113\.9/],
  [['18631:80', '18631:81'], /18631\/tcp: asked for twice/],
  [['18631:80', '127.0.0.1:18631:81'], /18631\/tcp: asked for twice/],
  [['18630-18640:80-90', '18635:99'], /18635\/tcp: asked for twice/],
  [['127.0.0.1:18631:80/sctp'], /sctp ports need root/],
  [['70000:80'], /"70000" is outside 1-65535/],
  [['18631-18633:80-81'], /3 host ports for 2 container ports/],
  [['::1:18631:80'], /an IPv6 address goes in brackets/],
  [['localhost:18631:80'], /"localhost" is not an IP address/],
];

test('refuses what cannot be published, before anything is made', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    for (const [values, message] of REFUSED) {
      const publish = values.flatMap((value) => ['-p', value]);
      const { exitCode, stderr } = await tsman('run', ...publish, PROBE_IMAGE, 'true');
      assert.is(exitCode, 125, values.join(' '));
      assert.match(stderr, message);
    }
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }));

requires(test, 'user')(
  'a port that needs privilege is refused, naming the sysctl and another port',
  () =>
    withScratch(async (tsman) => {
      await loadProbe(tsman);
      const file = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
      const lowest = Number(readFileSync(file, 'utf8'));
      if (lowest === 0) return;
      const { exitCode, stderr } = await tsman(
        'run',
        '-p',
        `${lowest - 1}:80`,
        PROBE_IMAGE,
        'true',
      );
      assert.is(exitCode, 125);
      assert.match(stderr, new RegExp(`ports below ${lowest} need privilege`));
      assert.match(stderr, new RegExp(`sysctl net.ipv4.ip_unprivileged_port_start=${lowest - 1}`));
      assert.is((await tsman('ps', '-aq')).stdout, '');
    }),
);

/** Answers on fifty ports of both protocols, each connection and datagram with the port it came to. */
const FIFTY = `use IO::Select;$q=IO::Select->new;for(8000..8049){
  $q->add(IO::Socket::IP->new(LocalPort=>$_,Listen=>9,ReuseAddr=>1,V6Only=>0,Family=>AF_INET6));
  $q->add(IO::Socket::IP->new(LocalPort=>$_,Proto=>"udp",V6Only=>0,Family=>AF_INET6))}
  while(@r=$q->can_read){for(@r){if($_->socktype==SOCK_DGRAM){$_->recv($d,9);$_->send($_->sockport)}else{$c=$_->accept;print $c $c->sockport,"\\n";close $c}}}`;

requires(
  test,
  'userns',
  'pasta',
  'tun',
)('publishes fifty ports of each protocol, on one address of the host', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('network', 'create', 'one');
    const ranges = ['127.0.0.1:18500-18549:8000-8049', '127.0.0.1:18500-18549:8000-8049/udp'];
    const publish = ranges.flatMap((range) => ['-p', range]);
    const run = ['run', '-d', '--name', 'web', '--network', 'one', ...publish];
    const { exitCode, stderr } = await tsman(...run, ...PERL, FIFTY);
    assert.is(exitCode, 0, stderr);
    await eventually('8049', () => greeting(18549));
    const offsets = Array.from({ length: 50 }, (_, offset) => offset);
    const answers = await Promise.all(
      offsets.map(async (offset) => (await exchange(18500 + offset, '')).received.trim()),
    );
    assert.equal(
      answers,
      offsets.map((offset) => String(8000 + offset)),
    );
    assert.equal(
      await Promise.all(offsets.map((offset) => answerDatagram(18500 + offset))),
      answers,
    );
    assert.is((await exchange(18500, '', '127.0.0.2')).how, 'ECONNREFUSED');
    assert.is((await tsman('port', 'web')).stdout.trim().split('\n').length, 100);
  }),
);

requires(
  test,
  'userns',
  'pasta',
  'tun',
)('finds free ports, for what is exposed with -P too, and IPv4 and IPv6 apart', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('network', 'create', 'one');
    const apart = ['-p', '127.0.0.1:18651:8000', '-p', '[::1]:18651:8001'];
    const free = ['-P', '--expose', '8002', '-p', '127.0.0.1::8003', '-p', '18660-18662:8004'];
    const run = ['run', '-d', '--name', 'web', '--network', 'one', ...apart, ...free];
    const { exitCode, stderr } = await tsman(...run, ...PERL, FIFTY);
    assert.is(exitCode, 0, stderr);
    const { stdout } = await tsman('port', 'web');
    assert.match(
      stdout,
      /^8000\/tcp -> 127\.0\.0\.1:18651\n8001\/tcp -> \[::1\]:18651\n8002\/tcp -> 0\.0\.0\.0:\d+\n8003\/tcp -> 127\.0\.0\.1:\d+\n8004\/tcp -> 0\.0\.0\.0:1866[0-2]\n$/,
    );
    const chosen = [...stdout.matchAll(/:(\d+)$/gm)].map((match) => Number(match[1]));
    await eventually('8000', () => greeting(18651));
    await eventually('8001', () => greeting(18651, '::1'));
    for (const [index, expected] of ['8002', '8003', '8004'].entries())
      await eventually(expected, () => greeting(chosen[index + 2] ?? 0));
  }),
);

test.run();
