import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { PERL } from './hosts-usr.ts';

const test = suite('tsman network');

test('create makes what its options say, and inspect shows it under the names of JSON and of Go', () =>
  withScratch(async (tsman) => {
    const subnets = ['--subnet', '10.70.1.0/24', '--subnet', 'fd70:1::/64'];
    const more = ['--gateway', '10.70.1.254', '--ip-range', '10.70.1.128/25', '--internal'];
    const rest = ['--label', 'a=b', '--opt', 'mtu=1400', '--dns', '9.9.9.9', '--disable-dns'];
    const route = ['--route', '10.99.0.0/24,10.70.1.9,5', '--interface-name', 'br70'];
    await tsman('network', 'create', ...subnets, ...more, ...rest, ...route, 'shop');
    const [network] = JSON.parse((await tsman('network', 'inspect', 'shop')).stdout);
    const { id, created, ...shown } = network;
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.ok(Date.parse(created) > 0);
    assert.equal(shown, {
      name: 'shop',
      driver: 'bridge',
      network_interface: 'br70',
      subnets: [
        {
          subnet: '10.70.1.0/24',
          gateway: '10.70.1.254',
          lease_range: { start_ip: '10.70.1.129', end_ip: '10.70.1.255' },
        },
        { subnet: 'fd70:1::/64', gateway: 'fd70:1::1' },
      ],
      ipv6_enabled: true,
      internal: true,
      dns_enabled: false,
      network_dns_servers: ['9.9.9.9'],
      labels: { a: 'b' },
      options: { mtu: '1400' },
      routes: [{ destination: '10.99.0.0/24', gateway: '10.70.1.9', metric: 5 }],
      ipam_options: { driver: 'host-local' },
      containers: {},
    });
    const template =
      '{{.Name}} {{range .Subnets}}{{.Subnet}} {{end}}{{.Labels}} {{.DNSEnabled}} {{.internal}}';
    assert.is(
      (await tsman('network', 'inspect', '-f', template, 'shop')).stdout,
      'shop 10.70.1.0/24 fd70:1::/64 map[a:b] false true\n',
    );
    const json = await tsman('network', 'inspect', '-f', '{{json .Subnets}}', 'shop');
    assert.equal(JSON.parse(json.stdout), shown.subnets);
  }));

const REFUSED: readonly (readonly [options: string, message: RegExp])[] = [
  ['--subnet 10.70.1.128/25', /overlaps with that of another network/],
  ['--gateway 10.1.1.1', /need a --subnet each/],
  ['--subnet 10.70.8.0/24 --gateway 10.1.1.1', /10\.1\.1\.1 is not in subnet 10\.70\.8\.0\/24/],
  ['--opt vlan=7', /vlan is not supported/],
  ['--driver macvlan', /only bridge networks/],
  ['--ipam-driver dhcp', /--ipam-driver dhcp/],
  ['--interface-name uplink', /"uplink" is not possible/],
];

test('create refuses what cannot be, ls filters, prune and rm take what no container has', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('network', 'create', '--subnet', '10.70.1.0/24', '--label', 'a=b', 'one');
    for (const [options, message] of REFUSED) {
      const result = await tsman('network', 'create', ...options.split(' '), 'bad');
      assert.is(result.exitCode, 125, options);
      assert.match(result.stderr, message);
    }
    await tsman('network', 'create', 'two');
    assert.is((await tsman('network', 'create', 'two')).exitCode, 125);
    assert.is((await tsman('network', 'create', '--ignore', 'two')).exitCode, 0);
    const names = async (...filters: string[]): Promise<string> =>
      (await tsman('network', 'ls', '-q', ...filters.flatMap((it) => ['-f', it]))).stdout;
    assert.is(await names(), 'one\npodman\ntwo\n');
    assert.is(await names('label=a'), 'one\n');
    assert.is(await names('name=tw', 'driver=bridge'), 'two\n');
    await tsman('create', '--name', 'c', '--network', 'two', PROBE_IMAGE, 'true');
    assert.is(await names('dangling=true'), 'one\n');
    assert.is((await tsman('network', 'prune', '-f')).stdout, 'one\n');
    assert.is((await tsman('network', 'rm', 'two')).exitCode, 125);
    assert.is((await tsman('network', 'rm', '-f', 'two')).exitCode, 0);
    assert.is((await tsman('ps', '-aq')).stdout, '');
    assert.match((await tsman('network', 'rm', 'podman')).stderr, /default network/);
  }));

requires(
  test,
  'userns',
  'pasta',
  'tun',
)('connect gives address, MAC and aliases, which inspect of both shows', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('network', 'create', 'one');
    await tsman('network', 'create', '--subnet', '10.70.2.0/24', 'two');
    const mac = '02:aa:bb:cc:dd:ee';
    await tsman('run', '-d', '--name', 'c', '--network', 'one', ...PERL, 'sleep 60');
    const options = ['--ip', '10.70.2.77', '--mac-address', mac, '--alias', 'db'];
    const { exitCode, stderr } = await tsman('network', 'connect', ...options, 'two', 'c');
    assert.is(exitCode, 0, stderr);
    const [container] = JSON.parse((await tsman('inspect', 'c')).stdout);
    const { IPAddress, MacAddress, Gateway, Aliases } = container.NetworkSettings.Networks.two;
    assert.equal([IPAddress, MacAddress, Gateway], ['10.70.2.77', mac, '10.70.2.1']);
    assert.ok(Aliases.includes('db'));
    const shown = await tsman('network', 'inspect', '-f', '{{json .Containers}}', 'two');
    assert.equal(JSON.parse(shown.stdout), {
      [container.Id]: {
        name: 'c',
        interfaces: {
          eth1: {
            subnets: [{ ipnet: '10.70.2.77/24', gateway: '10.70.2.1' }],
            mac_address: mac,
          },
        },
      },
    });
    assert.match((await tsman('network', 'connect', 'two', 'c')).stderr, /on network two already/);
    assert.is((await tsman('network', 'disconnect', '-f', 'two', 'c')).exitCode, 0);
    assert.is(
      (await tsman('network', 'inspect', '-f', '{{.Containers}}', 'two')).stdout,
      'map[]\n',
    );
  }),
);

const NONSENSE: readonly (readonly [options: string, message: RegExp])[] = [
  ['--no-hosts --add-host a:1.2.3.4', /--add-host has no place with --no-hosts/],
  ['--add-host a', /"a" is not NAME:IP/],
  ['--dns bad', /"bad" is not an IP address/],
  ['--dns none --dns 9.9.9.9', /none goes with no other server/],
];

test('run refuses host names and name servers that cannot be', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    for (const [options, message] of NONSENSE) {
      const result = await tsman('create', ...options.split(' '), PROBE_IMAGE, 'true');
      assert.is(result.exitCode, 125, options);
      assert.match(result.stderr, message);
    }
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }));

requires(test, 'userns')(
  'run --dns none leaves the resolv.conf of the image, --dns-search . names no domain',
  () =>
    withScratch(async (tsman) => {
      await loadProbe(tsman);
      const run = ['run', '--rm', '--network', 'none'];
      const cat = [PROBE_IMAGE, '/bin/probe', 'cat', '/etc/resolv.conf'];
      assert.match((await tsman(...run, '--dns', 'none', ...cat)).stderr, /No such file/);
      const dns = ['--dns', '9.9.9.9', '--dns-search', '.', '--dns-option', 'ndots:2'];
      assert.match(
        (await tsman(...run, ...dns, ...cat)).stdout,
        /^nameserver 9\.9\.9\.9\noptions ndots:2\n$/,
      );
    }),
);

test.run();
