import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { absentCommand } from '../../src/commands/absent.ts';
import { allCommands, findCommand } from '../../src/commands/table.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanPath } from '../support/tsman.ts';

/** docker(1) 28 and podman(1) 5, a dot between words. */
const WORDS = [
  'attach auto-update build commit compose config container context cp create diff events exec export farm',
  'generate healthcheck history image images import info init inspect kill kube load login logout logs machine',
  'manifest mount network node pause pod port ps pull push rename restart rm rmi run save search secret service',
  'stack start stats stop swarm system tag top trust unmount umount unpause unshare untag update version volume',
  'wait artifact builder buildx checkpoint plugin play scout quadlet completion',
  'container.attach container.checkpoint container.cleanup container.clone container.commit container.cp',
  'container.create container.diff container.exec container.exists container.export container.init',
  'container.inspect container.kill container.list container.logs container.ls container.mount container.pause',
  'container.port container.prune container.ps container.rename container.restart container.restore container.rm',
  'container.run container.runlabel container.start container.stats container.stop container.top',
  'container.unmount container.umount container.unpause container.update container.wait',
  'image.build image.diff image.exists image.history image.import image.inspect image.list image.load image.ls',
  'image.mount image.prune image.pull image.push image.rm image.save image.scp image.search image.sign image.tag',
  'image.tree image.trust image.unmount image.umount image.untag',
  'network.connect network.create network.disconnect network.exists network.inspect network.ls network.prune',
  'network.reload network.rm network.update volume.create volume.exists volume.export volume.import',
  'volume.inspect volume.ls volume.mount volume.prune volume.reload volume.rm volume.unmount volume.update',
  'secret.create secret.exists secret.inspect secret.ls secret.rm manifest.add manifest.annotate manifest.create',
  'manifest.exists manifest.inspect manifest.push manifest.remove manifest.rm system.check system.connection',
  'system.df system.dial-stdio system.events system.info system.migrate system.prune system.renumber system.reset',
  'system.service healthcheck.run generate.kube generate.spec generate.systemd play.kube pod.create kube.play',
].join(' ');

const test = suite('help and unknown commands');

/** Runs a line of bash in which `tsman` is the program; its output and the status of each part. */
function bash(line: string): { stdout: string; stderr: string } {
  const script = `tsman() { timeout 60 ${tsmanPath()} "$@"; }; ${line}`;
  return spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 120_000 });
}

test('say in one line what tsman does not have', () =>
  withScratch(async (tsman) => {
    const { exitCode, stderr } = await tsman('swarm', 'init');

    assert.is(exitCode, 125);
    assert.is(
      stderr,
      'Error: tsman has no command swarm: tsman runs containers on one machine and has no cluster\n',
    );
    assert.match(
      (await tsman('system', 'connection', 'ls')).stderr,
      /no command system connection/,
    );
  }));

test('know nothing as absent that is there', () => {
  for (const words of [['ps'], ['image', 'ls'], ['system', 'info'], ['commit']])
    assert.is(absentCommand(words), undefined);
  assert.is.not(findCommand(['ps']), undefined);
});

test('suggest the nearest', () =>
  withScratch(async (tsman) => {
    assert.match((await tsman('imagse')).stderr, /hint: did you mean tsman images\?/);
    assert.match((await tsman('ps', '--al')).stderr, /hint: did you mean --all\?/);
  }));

test('list a group by its word alone, and the options of run below headings', () =>
  withScratch(async (tsman) => {
    const group = await tsman('image');
    assert.is(group.exitCode, 0);
    assert.match(group.stdout, /^ {2}image pull /m);
    const { stdout } = await tsman('run', '--help');
    for (const heading of ['What runs', 'Network', 'Files', 'Namespaces and security', 'Examples'])
      assert.match(stdout, new RegExp(`^${heading}:$`, 'm'));
  }));

test('show the help of a command to help COMMAND and --help COMMAND as well', () =>
  withScratch(async (tsman) => {
    const { stdout } = await tsman('container', 'ls', '--help');
    assert.is((await tsman('help', 'container', 'ls')).stdout, stdout);
    assert.is((await tsman('--help', 'container', 'ls')).stdout, stdout);
    assert.match((await tsman('help', 'image')).stdout, /^ {2}image pull /m);
  }));

test('know every word of Docker and Podman, or say why it is not there', () => {
  for (const line of WORDS.split(' ')) {
    const words = line.split('.');
    const isGroup = allCommands().some((entry) =>
      words.every((word, i) => entry.words[i] === word),
    );
    assert.ok(isGroup || absentCommand(words) !== undefined, words.join(' '));
  }
});

test('show defaults and choices, and options of many below headings', () =>
  withScratch(async (tsman) => {
    const { stdout } = await tsman('push', '--help');
    assert.match(stdout, /--retry NUMBER .*\(default 3\)$/m);
    assert.match(stdout, /--format FORMAT .*\(oci, docker; default as stored\)$/m);
    assert.match(stdout, /--tls-verify .*\(default true\)$/m);
    assert.match(stdout, /^Registry:\n {6}--authfile/m);
    assert.match((await tsman('kill', '--help')).stdout, /^Options:\n[\s\S]*\(default KILL\)$/m);
  }));

test('end quietly when the reader has gone, and loudly when the disk is full', () => {
  const gone = bash(
    `perl -e 'pipe R, W; close R; open STDOUT, ">&W"; exec @ARGV' ${tsmanPath()} --help; echo "$?" >&2`,
  );
  assert.is(gone.stderr, '141\n');
  const full = bash('tsman --help > /dev/full; echo "$?"');
  assert.is(full.stdout, '125\n');
  assert.match(full.stderr, /^Error: .*ENOSPC/);
});

test('refuse options of a daemon in one line, and take those that change nothing', () =>
  withScratch(async (tsman) => {
    const { exitCode, stderr } = await tsman('-H', 'tcp://x', 'ps');
    assert.is(exitCode, 125);
    assert.is(stderr, 'Error: option -H: tsman has no daemon to talk to; leave it out\n');
    assert.is((await tsman('--remote=false', '--log-level', 'error', 'ps')).exitCode, 0);
    assert.match((await tsman('--log-level', 'loud', 'ps')).stderr, /is none of trace, debug/);
  }));

test('print the completion of a shell', () =>
  withScratch(async (tsman) => {
    assert.match(
      (await tsman('completion', 'bash')).stdout,
      /complete -o filenames -F _tsman tsman/,
    );
    assert.match((await tsman('completion', 'tcsh')).stderr, /hint: there are bash, zsh, fish/);
  }));

test.run();
