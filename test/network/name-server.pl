# A name server for the tests: name-server.pl IP. Everything is 192.0.2.77, but for "big.example", whose
# 60 addresses are told over TCP only (RFC 1035, 4.2.1: the TC bit).
use strict;
use IO::Select;
use IO::Socket::IP;

my ($ip) = @ARGV;
my $udp = IO::Socket::IP->new(LocalHost => $ip, LocalPort => 53, Proto => 'udp') or die "udp: $@";
my $tcp = IO::Socket::IP->new(LocalHost => $ip, LocalPort => 53, Listen => 8, ReuseAddr => 1) or die "tcp: $@";
my $select = IO::Select->new($udp, $tcp);

sub answer {
	my ($packet, $is_tcp) = @_;
	my $id = substr($packet, 0, 2);
	my ($end, @labels) = (12);
	while ((my $length = ord substr($packet, $end, 1)) > 0) {
		push @labels, substr($packet, $end + 1, $length);
		$end += $length + 1;
	}
	my $question = substr($packet, 12, $end + 5 - 12);
	my $type = unpack 'n', substr($packet, $end + 1, 2);
	my $is_big = join('.', @labels) eq 'big.example';
	return $id . pack('n5', 0x8380, 1, 0, 0, 0) . $question if $is_big && !$is_tcp;
	my @addresses = $type != 1 ? () : $is_big ? map { "10.9.0.$_" } 1 .. 60 : ('192.0.2.77');
	my $records = join '', map { pack('n3Nn', 0xc00c, 1, 1, 0, 4) . pack('C4', split /\./) } @addresses;
	return $id . pack('n5', 0x8180, 1, scalar @addresses, 0, 0) . $question . $records;
}

while (1) {
	for my $ready ($select->can_read) {
		if ($ready == $udp) {
			$udp->recv(my $packet, 4096);
			$udp->send(answer($packet, 0));
		} elsif ($ready == $tcp) {
			$select->add($tcp->accept);
		} elsif (sysread($ready, my $length, 2) != 2) {
			$select->remove($ready);
			close $ready;
		} else {
			sysread($ready, my $packet, unpack('n', $length));
			my $answer = answer($packet, 1);
			syswrite($ready, pack('n', length $answer) . $answer);
		}
	}
}
