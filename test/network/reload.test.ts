import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';
import { untilEnded } from '../support/until.ts';
import { answer, eventually } from './clients.ts';
import { client, PERL, perlIn, server } from './hosts-usr.ts';

const test = suite('network reload');
const needs = requires(test, 'userns', 'pasta', 'tun');
const PORT = 18481;

/** Ends the process whose pid this file begins with, and waits until it has. */
async function kill({ runRoot }: Scratch, ...path: string[]): Promise<void> {
  const pid = Number.parseInt(fs.readFileSync(join(runRoot, ...path), 'utf8'), 10);
  process.kill(pid, 'SIGKILL');
  await untilEnded(pid);
}

async function inspect(tsman: Tsman, format: string): Promise<string> {
  return (await tsman('inspect', '-f', format, 'web')).stdout.trim();
}

const ask = (): Promise<string> => answer(PORT);
const REFUSED = `connect ECONNREFUSED 127.0.0.1:${PORT}`;
const error = (tsman: Tsman): Promise<string> => inspect(tsman, '{{.State.Error}}');

/** A server on two networks with a published port, which joins a third while it runs; and a neighbour. */
async function start(tsman: Tsman): Promise<string> {
  await loadProbe(tsman);
  for (const name of ['one', 'two']) await tsman('network', 'create', name);
  const web = ['--network', 'one', '--network', 'podman', '--restart', 'always'];
  const run = ['run', '-d', '--name', 'web', '-p', `${PORT}:80`, ...web, ...PERL, server(80)];
  assert.is((await tsman(...run)).exitCode, 0);
  await tsman('run', '-d', '--name', 'neighbour', '--network', 'one', ...PERL, 'sleep 60');
  assert.is((await tsman('network', 'connect', 'two', 'web')).exitCode, 0);
  await eventually('10.89.0.1', ask);
  return inspect(tsman, '{{.Id}}');
}

needs('makes interfaces, names and ports anew when the process that served them was killed', () =>
  withScratch(async (tsman, scratch) => {
    const id = await start(tsman);
    const started = await inspect(tsman, '{{.State.StartedAt}} {{.State.Pid}}');
    for (const killed of [
      ['containers', id, 'net.pid'],
      ['net', 'hub'],
    ]) {
      await kill(scratch, ...killed);
      await eventually(REFUSED, ask);
      assert.match(await error(tsman), /network reload web/);
      const { exitCode, stderr } = await tsman('network', 'reload', 'web', 'neighbour');
      assert.is(exitCode, 0, stderr);
      assert.is(await error(tsman), '');
      await eventually('10.89.0.1', ask);
      assert.match(await perlIn(tsman, 'neighbour', client('web', 80)), /^10\.89\.0\./);
      const hosts = (await tsman('exec', 'web', '/usr/bin/perl', '-pe', '', '/etc/hosts')).stdout;
      assert.is(hosts.match(/^10\..* web /gm)?.length, 3, hosts);
      const names = 'for(glob("/sys/class/net/*")){s/.*\\///;print "$_ "}';
      assert.is(await perlIn(tsman, 'web', names), 'eth0 eth1 eth2 lo');
    }
    assert.is(await inspect(tsman, '{{.State.StartedAt}} {{.State.Pid}}'), started);
  }),
);

needs('leaves the new process to the monitor, over restarts and to the end', () =>
  withScratch(async (tsman, scratch) => {
    const id = await start(tsman);
    await kill(scratch, 'containers', id, 'net.pid');
    assert.is((await tsman('network', 'reload', 'web')).exitCode, 0);
    // The restart policy: the next run has the network of this one.
    process.kill(Number(await inspect(tsman, '{{.State.Pid}}')), 'SIGKILL');
    await eventually('1', () => inspect(tsman, '{{.RestartCount}}'));
    await eventually('10.89.0.1', ask);
    await kill(scratch, 'containers', id, 'net.pid');
    await eventually(REFUSED, ask);
    assert.match(await error(tsman), /network reload web/);
    assert.is((await tsman('network', 'reload', '--all')).exitCode, 0);
    await eventually('10.89.0.1', ask);
    await tsman('rm', '-f', '-t', '0', 'web');
    await eventually(REFUSED, ask);
    const { stdout } = await tsman('events', '--since', '1m', '--stream=false');
    assert.is(stdout.match(/network_died/g)?.length, 2, stdout);
  }),
);

test.run();
