import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { PERL, RESOLVE } from './hosts-usr.ts';

const test = suite('names outside');

function quoted(...words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

const BIG = Array.from({ length: 60 }, (_, i) => `10.9.0.${i + 1}`).sort();

for (const network of ['default', 'one']) {
  requires(
    test,
    'user',
    'userns',
    'pasta',
    'tun',
  )(
    `on network ${network} are asked from a server on the host's loopback, also by TCP, and follow resolv.conf`,
    () =>
      withScratch(async (tsman, scratch) => {
        await loadProbe(tsman);
        const resolvConf = join(scratch.directory, 'resolv.conf');
        writeFileSync(resolvConf, 'nameserver\t127.0.0.53\n');
        const engine = quoted(tsmanPath());
        const resolve = (name: string): string =>
          `${engine} exec c ${quoted('/usr/bin/perl', '-e', RESOLVE(name))}; echo`;
        const script = [
          'ip link set lo up; ip addr add 10.77.0.1/24 dev lo',
          `mount --bind ${resolvConf} /etc/resolv.conf`,
          'set -e',
          ...['127.0.0.53', '127.0.0.54'].map((ip) => `perl test/network/name-server.pl ${ip} & `),
          network === 'one' ? `${engine} network create one >/dev/null` : '',
          `${engine} run -d --name c --network ${network} ${quoted(...PERL, 'sleep 60')} >/dev/null`,
          resolve('small.example'),
          resolve('big.example'),
          // The first server goes, and the file says so.
          'kill %1; echo nameserver 127.0.0.54 > /etc/resolv.conf',
          resolve('other.example'),
          network === 'one' ? `${engine} network update --dns-add 127.0.0.99 one >/dev/null` : '',
          resolve('nobody.asked'),
          network === 'one' ? `${engine} network update --dns-drop 127.0.0.99 one >/dev/null` : '',
          resolve('again.example'),
          `${engine} rm -f -t0 c >/dev/null; kill %2`,
        ].join('\n');
        const { stdout, stderr } = await execa('unshare', ['-Urmn', 'bash', '-c', script], {
          reject: false,
          timeout: 120_000,
          env: tsmanEnv(scratch),
        });
        const refused = network === 'one' ? '' : '192.0.2.77';
        assert.equal(
          stdout.split('\n'),
          ['192.0.2.77', BIG.join(' '), '192.0.2.77', refused, '192.0.2.77'],
          stderr,
        );
      }),
  );
}

requires(
  test,
  'user',
  'userns',
  'pasta',
  'tun',
)('are asked by nobody on an internal network (CVE-2024-29018)', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const resolvConf = join(scratch.directory, 'resolv.conf');
    writeFileSync(resolvConf, 'nameserver 127.0.0.53\n');
    const engine = quoted(tsmanPath());
    const idle = quoted(...PERL, 'sleep 60');
    const resolve = (container: string, name: string): string =>
      `${engine} exec ${container} ${quoted('/usr/bin/perl', '-e', RESOLVE(name))}; echo`;
    const script = [
      'ip link set lo up; ip addr add 10.77.0.1/24 dev lo',
      `mount --bind ${resolvConf} /etc/resolv.conf`,
      'perl test/network/name-server.pl 127.0.0.53 & ',
      `{ ${engine} network create open; ${engine} network create --internal cell; } >/dev/null`,
      `${engine} run -d --name out --network open ${idle} >/dev/null`,
      `${engine} run -d --name in --network cell ${idle} >/dev/null`,
      resolve('out', 'small.example'),
      resolve('in', 'small.example'),
      resolve('in', 'in'),
      `${engine} rm -f -t0 in out >/dev/null; kill %1`,
    ].join('\n');
    const { stdout, stderr } = await execa('unshare', ['-Urmn', 'bash', '-c', script], {
      reject: false,
      timeout: 120_000,
      env: tsmanEnv(scratch),
    });
    const [outside, inside, own] = stdout.split('\n');
    assert.equal([outside, inside], ['192.0.2.77', ''], stderr);
    assert.match(own ?? '', /^10\./);
  }),
);

test.run();
