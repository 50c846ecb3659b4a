import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { client, PERL, patiently, server } from './hosts-usr.ts';

const test = suite('the default network and the host');

function quoted(...words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

/** Runs a script as the root of a host of its own, whose only interface at first is loopback. */
async function onOwnHost(
  lines: (engine: string) => readonly string[],
): Promise<{ stdout: string; stderr: string }> {
  let result = { stdout: '', stderr: '' };
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const script = ['ip link set lo up', ...lines(quoted(tsmanPath()))].join('\n');
    result = await execa('unshare', ['-Urn', 'bash', '-c', script], {
      reject: false,
      timeout: 120_000,
      env: tsmanEnv(scratch),
    });
  });
  return result;
}

const needs = requires(test, 'user', 'userns', 'pasta', 'tun');
/** The networks are made anew when who keeps them has followed the last container. */
const HUB_ENDS =
  'while kill -0 "$(cut -d" " -f1 "$TSMAN_RUNROOT/net/hub")" 2>/dev/null; do sleep 0.05; done';
const IDLE = quoted(...PERL, 'sleep 60');
const address = (engine: string, name: string): string =>
  `${engine} inspect -f '{{.NetworkSettings.IPAddress}}' ${name}`;

needs('do not have the same addresses; those of a network in use stay', async () => {
  const { stdout, stderr } = await onOwnHost((engine) => [
    'ip route add 10.88.32.0/24 dev lo',
    `${engine} run -d --name a ${IDLE} >/dev/null`,
    address(engine, 'a'),
    // Now the host has the way to those, too.
    'ip route add 10.87.0.0/16 dev lo',
    `${engine} run -d --name b ${IDLE} >/dev/null`,
    address(engine, 'b'),
    `${engine} rm -f -t0 a b >/dev/null; ${HUB_ENDS}`,
    `${engine} run -d --name c ${IDLE} >/dev/null`,
    address(engine, 'c'),
    `${engine} rm -f -t0 c >/dev/null`,
  ]);
  assert.is(stdout.trim(), '10.87.0.2\n10.87.0.3\n172.30.0.2', stderr);
});

needs('may change while a container runs: it reaches what came later', async () => {
  const { stdout, stderr } = await onOwnHost((engine) => [
    `${engine} run -d --name a ${IDLE} >/dev/null`,
    'ip link add d0 type veth peer name d1; ip addr add 10.78.0.1/24 dev d0; ip link set d0 up; ip link set d1 up',
    'ip route add default via 10.78.0.254',
    `perl -MIO::Socket::IP -e ${quoted(server(8080))} &`,
    patiently(
      `${engine} exec a ${quoted('/usr/bin/perl', '-MIO::Socket::IP', '-e', client('10.78.0.1', 8080))}`,
    ),
    `${engine} rm -f -t0 a >/dev/null; kill %1`,
  ]);
  assert.match(stdout.trim(), /10\.78\.0\.1$/, stderr);
});

test.run();
