import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAttachments } from '../../src/network/attachment.ts';
import {
  contains,
  formatIP,
  formatSubnet,
  lastAddress,
  parseIP,
  parseSubnet,
} from '../../src/network/ip.ts';
import { parsePublish } from '../../src/network/ports.ts';

const test = suite('addresses and ports');

test('IPv4 and IPv6 addresses come back as they are usually written', () => {
  for (const text of [
    '10.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fd00::1',
    '2001:db8::8:0:0:1',
    'fe80::1:2:3:4',
  ]) {
    const { family, value } = parseIP('--ip', text);
    assert.is(formatIP(family, value), text);
  }
  assert.is(formatIP(6, parseIP('--ip', '::ffff:10.0.0.1').value), '::ffff:a00:1');
  assert.throws(() => parseIP('--ip', '10.0.0'), /is not an IP address/);
});

test('a subnet is cut to its prefix and knows its last address', () => {
  const subnet = parseSubnet('--subnet', '10.5.6.7/22');
  assert.is(formatSubnet(subnet), '10.5.4.0/22');
  assert.is(formatIP(4, lastAddress(subnet)), '10.5.7.255');
  assert.ok(contains(subnet, 4, parseIP('', '10.5.7.1').value));
  assert.not.ok(contains(subnet, 4, parseIP('', '10.5.8.1').value));
  assert.throws(() => parseSubnet('--subnet', '10.0.0.0'), /is not ADDRESS\/BITS/);
});

test('-p takes host IPs of both families, ranges, and a choice of host ports', () => {
  assert.equal(parsePublish('[::1]:8080:80/udp'), {
    ...{ hostIP: '::1', hostPort: 8080, containerPort: 80, range: 1, protocol: 'udp' },
  });
  assert.is(parsePublish('8000-8004:80-84').range, 5);
  assert.is(parsePublish('8000-8004:80').hostChoices, 5);
  assert.is(parsePublish('0:80').hostPort, 0);
  for (const bad of ['300.1.1.1:80:80', '[::g]:80:80', '1-2:80-82', '80/icmp', 'x:80:80'])
    assert.throws(() => parsePublish(bad), /invalid port mapping/);
});

test('--ip and its like belong to one network', () => {
  const none = { ip: undefined, ip6: undefined, mac: undefined, aliases: [] };
  assert.equal(parseAttachments(['a:alias=x,mac=02-00-00-00-00-01', 'b'], none), [
    { network: 'a', aliases: ['x'], mac: '02:00:00:00:00:01' },
    { network: 'b', aliases: [] },
  ]);
  assert.throws(
    () => parseAttachments(['a', 'b'], { ...none, ip: '10.0.0.1' }),
    /which of the networks/,
  );
  assert.throws(() => parseAttachments(['none'], { ...none, ip: '10.0.0.1' }), /needs a network/);
  assert.throws(() => parseAttachments(['a:port=1'], none), /is not understood/);
});

test('without --network it is the default network, which has addresses but no names', () => {
  const none = { ip: undefined, ip6: undefined, mac: undefined, aliases: [] };
  assert.equal(parseAttachments([], none), [{ network: 'podman', aliases: [] }]);
  assert.equal(parseAttachments(['bridge:ip=10.88.0.9', 'a'], { ...none, aliases: ['x'] }), [
    { network: 'podman', aliases: [], ip: '10.88.0.9' },
    { network: 'a', aliases: ['x'] },
  ]);
  assert.throws(() => parseAttachments([], { ...none, aliases: ['x'] }), /has no names/);
  assert.throws(() => parseAttachments(['podman:alias=x'], none), /has no names/);
});

test.run();
