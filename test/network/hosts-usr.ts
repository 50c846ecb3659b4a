import { PROBE_IMAGE } from '../support/probe.ts';
import type { Tsman } from '../support/tsman.ts';

/** Arguments after `run`: the probe's image with the host's perl in it, which knows sockets and getaddrinfo. */
export const PERL: readonly string[] = [
  ...['-v', '/usr:/usr:ro', '-v', '/usr/lib:/lib:ro', '-v', '/usr/lib64:/lib64:ro'],
  PROBE_IMAGE,
  '/usr/bin/perl',
  '-MIO::Socket::IP',
  '-e',
];

/** Answers every line with the address of who sent it; on UDP every datagram. */
export function server(port: number, protocol: 'tcp' | 'udp' = 'tcp'): string {
  if (protocol === 'udp')
    return `$s=IO::Socket::IP->new(LocalPort=>${port},Proto=>"udp",V6Only=>0,Family=>AF_INET6) or die;
      while($s->recv($d,99)){$s->send($s->peerhost)}`;
  return `$SIG{CHLD}="IGNORE";$s=IO::Socket::IP->new(LocalPort=>${port},Listen=>64,ReuseAddr=>1,V6Only=>0,Family=>AF_INET6) or die;
    while(1){$c=$s->accept or next;next if fork;while(<$c>){print $c $c->peerhost,"\\n"}exit}`;
}

/** Prints what the server at an address or name says, or "failed". */
export function client(host: string, port: number): string {
  return `$s=IO::Socket::IP->new(PeerHost=>"${host}",PeerPort=>${port},Timeout=>2) or do{print "failed\\n";exit 1};print $s "x\\n";print scalar <$s>`;
}

/** A line of shell: what a command prints, once it succeeds and prints something; a server needs a moment to listen. */
export function patiently(command: string): string {
  return `until said=$(${command} 2>/dev/null) && [ -n "$said" ]; do sleep 0.1; done; echo "$said"`;
}

/** What `perl -e CODE` prints in a running container. */
export async function perlIn(tsman: Tsman, container: string, code: string): Promise<string> {
  const { stdout } = await tsman(
    ...['exec', container, '/usr/bin/perl', '-MIO::Socket::IP', '-e', code],
  );
  return stdout.trim().replace('::ffff:', '');
}

/** Prints the addresses of a name, sorted, on one line. */
export const RESOLVE = (name: string): string =>
  `use Socket qw(:all);($e,@r)=getaddrinfo("${name}","",{socktype=>SOCK_STREAM});print join(" ",sort map{(getnameinfo($_->{addr},NI_NUMERICHOST))[1]}@r)`;
