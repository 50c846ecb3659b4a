import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { PERL, patiently, server } from './hosts-usr.ts';

const test = suite('a host without IPv6 (ipv6.disable=1)');

/** The numbers of prctl(2) and socket(2). */
const NUMBERS = { x64: [157, 41], arm64: [167, 198] } as const;

/** Runs the rest of its arguments where socket(AF_INET6, …) says EAFNOSUPPORT; seccomp(2). */
function disable([prctl, socket]: readonly [number, number]): string {
  return `my $f=join "",map{pack "SCCL",@$_}([0x20,0,0,0],[0x15,0,3,${socket}],[0x20,0,0,16],
      [0x15,0,1,10],[6,0,0,0x50000|97],[6,0,0,0x7fff0000]);my $p=pack "Sx6P",6,$f;
    syscall(${prctl},38,1,0,0,0)==0&&syscall(${prctl},22,2,$p)==0 or die $!;exec @ARGV;die $!`;
}

const quoted = (...words: readonly string[]): string =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');

const needs = requires(test, 'user', 'userns', 'pasta', 'tun');

needs('has the default network, names of others, and published ports of both protocols', () =>
  withScratch(async (tsman, scratch) => {
    const numbers = NUMBERS[process.arch as keyof typeof NUMBERS];
    if (numbers === undefined) return;
    await loadProbe(tsman);
    const run = (name: string, ...rest: readonly string[]): string =>
      `${quoted(tsmanPath(), 'run', '-d', '--name', name, ...rest)} >/dev/null`;
    const publish = ['-p', '18482:80', '-p', '18482:80/udp'];
    const both = `if(fork){${server(80)}}else{${server(80, 'udp')}}`.replaceAll(
      ',V6Only=>0,Family=>AF_INET6',
      '',
    );
    const ask = `use IO::Socket::IP;for my $to(qw(10.77.0.1 127.0.0.1)){for(qw(tcp udp)){
      $s=IO::Socket::IP->new(PeerHost=>$to,PeerPort=>18482,Proto=>$_,Timeout=>2) or die "$_ $to: $@";
      print $s "x\\n";alarm 5;$s->recv($a,99);$a=~s/\\s//g;length $a or die;print "$_ $a\\n"}}`;
    const find = 'use Socket;print inet_ntoa(scalar gethostbyname "other"),"\\n"';
    const script = [
      'ip link set lo up; ip addr add 10.77.0.1/24 dev lo; ip addr add 10.77.0.5/24 dev lo',
      'set -e',
      `${quoted(tsmanPath(), 'network', 'create', 'one')} >/dev/null`,
      run('web', ...publish, ...PERL, both),
      run('other', '--network', 'one', ...PERL, 'sleep 60'),
      run('asks', '--network', 'one', ...PERL, 'sleep 60'),
      patiently(quoted('perl', '-e', ask)),
      quoted(tsmanPath(), 'exec', 'asks', '/usr/bin/perl', '-e', find),
      `${quoted(tsmanPath(), 'rm', '-fa', '-t', '0')} >/dev/null`,
    ].join('\n');
    const { stdout, stderr } = await execa(
      'unshare',
      ['-Urn', 'perl', '-e', disable(numbers), 'sh', '-c', script],
      { reject: false, timeout: 120_000, env: tsmanEnv(scratch) },
    );
    const expected = 'tcp 10.77.0.1\nudp 10.77.0.1\ntcp 10.88.0.1\nudp 10.88.0.1\n10.89.0.2';
    assert.is(stdout.trim(), expected, stderr);
  }),
);

test.run();
