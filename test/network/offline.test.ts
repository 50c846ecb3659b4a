import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { client, PERL, patiently, server } from './hosts-usr.ts';

const test = suite('tsman run on a host without an interface');

/** A host of its own with two addresses on loopback's interface, and nothing else. */
const HOST = 'ip link set lo up; ip addr add 10.77.0.1/24 dev lo; ip addr add 10.77.0.5/24 dev lo';

function quoted(...words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

for (const network of ['default', 'one']) {
  requires(
    test,
    'user',
    'userns',
    'pasta',
    'tun',
  )(`network ${network} works, and shows a client's own address`, () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      const run = ['run', '-d', '--name', 'web', '--network', network, '-p', '18472:80'];
      const ask = client('10.77.0.1', 18472).replace('Timeout', 'LocalHost=>"10.77.0.5",Timeout');
      const script = [
        HOST,
        'set -e',
        network === 'default'
          ? ''
          : `${quoted(tsmanPath(), 'network', 'create', network)} >/dev/null`,
        `${quoted(tsmanPath(), ...run, ...PERL, server(80))} >/dev/null`,
        patiently(quoted('perl', '-MIO::Socket::IP', '-e', ask)),
        `${quoted(tsmanPath(), 'rm', '-f', 'web')} >/dev/null`,
      ].join('\n');
      const { stdout, stderr } = await execa('unshare', ['-Urn', 'sh', '-c', script], {
        reject: false,
        timeout: 120_000,
        env: tsmanEnv(scratch),
      });
      assert.is(stdout.trim().replace('::ffff:', ''), '10.77.0.5', stderr);
    }),
  );
}

test.run();
