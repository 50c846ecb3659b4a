import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withConfigured } from '../../src/commands/options/configured-options.ts';
import { CONTAINER_OPTIONS } from '../../src/commands/options/container-options.ts';
import type { ConfValue } from '../../src/config/containers-conf.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('defaults from containers.conf');

function merge(
  values: Readonly<Record<string, ConfValue>>,
  typed: Readonly<Record<string, string | readonly string[]>> = {},
): ReturnType<typeof withConfigured> {
  const lists = { capAdd: [], capDrop: [], network: [], net: [], securityOpt: [], logOpt: [] };
  const conf = { files: [], values: new Map(Object.entries(values)), unknown: [], ignored: [] };
  const options = { ...lists, ...typed };
  return withConfigured('run', CONTAINER_OPTIONS, options, new Set(Object.keys(typed)), conf);
}

test('are values, and the command line wins', () => {
  const values = { 'containers.umask': '0077', 'containers.shm_size': '1m' };
  const { umask, shmSize } = merge(values, { umask: '0002' });

  assert.equal([umask, shmSize], ['0002', '1m']);
});

test('are lists to which the command line adds, winning for the same name', () => {
  const values = {
    'containers.volumes': ['/a:/a', '/b:/b'],
    'containers.default_sysctls': ['net.x=1', 'kernel.y=1'],
  };
  const { volume, sysctl } = merge(values, { volume: ['/c:/a'], network: ['host'] });

  assert.equal(volume, ['/b:/b', '/c:/a']);
  assert.equal(sysctl, ['kernel.y=1']);
});

test('are capabilities that --cap-add and --cap-drop change', () => {
  const values = { 'containers.default_capabilities': ['CHOWN', 'KILL'] };
  const { capAdd, capDrop } = merge(values, { capAdd: ['NET_RAW'], capDrop: ['cap_kill,mknod'] });

  // What was typed is passed on, so that names are checked and one added as well is refused.
  assert.equal(
    [capDrop, capAdd],
    [
      ['all', 'cap_kill', 'mknod'],
      ['CHOWN', 'NET_RAW'],
    ],
  );
});

test("are pasta's options, unless a network is asked for", () => {
  const values = { 'network.pasta_options': ['--mtu', '1500'] };

  assert.equal(merge(values)['network'], ['pasta:--mtu,1500']);
  assert.equal(merge(values, { network: ['none'] })['network'], ['none']);
});

test('choose slirp4netns where the file does, and say so of what is neither', () => {
  const key = 'network.default_rootless_network_cmd';

  assert.equal(merge({ [key]: 'slirp4netns' })['network'], ['slirp4netns']);
  assert.equal(merge({ [key]: 'pasta' })['network'], []);
  assert.equal(merge({ [key]: 'slirp4netns', 'containers.netns': 'host' })['network'], ['host']);
  assert.throws(() => merge({ [key]: 'vpnkit' }), /is not pasta or slirp4netns/);
});

test('are the addresses of published ports that name none', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const file = join(scratch.directory, 'containers.conf');
    writeFileSync(file, '[network]\ndefault_host_ips = ["127.0.0.1", "127.0.0.2"]\n');
    const configured = tsman.with({ env: { CONTAINERS_CONF: file } });
    const ports = ['-p', '18641:80', '-p', '127.0.0.3:18642:81', '-P', '--expose', '82'];
    const { stderr } = await configured('create', '--name', 'c', ...ports, PROBE_IMAGE);
    assert.is(stderr, '');
    const { stdout } = await configured('port', 'c');
    assert.match(
      stdout.trim(),
      /^80\/tcp -> 127.0.0.1:18641\n80\/tcp -> 127.0.0.2:18641\n81\/tcp -> 127.0.0.3:18642\n82\/tcp -> 127.0.0.1:\d+\n82\/tcp -> 127.0.0.2:\d+$/,
    );
    writeFileSync(file, '[network]\ndefault_host_ips = ["here"]\n');
    const refused = await configured('create', '-p', '80', PROBE_IMAGE);
    assert.match(refused.stderr, /default_host_ips: here is not an IP address/);
  }));

test('reach a container, below what its image says', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const file = join(scratch.directory, 'containers.conf');
    writeFileSync(file, '[containers]\nenv = ["FROM_CONF=yes", "PATH=/nowhere"]\numask = "0027"\n');
    const configured = tsman.with({ env: { CONTAINERS_CONF: file } });

    const { stdout, stderr } = await configured(
      'run',
      '--rm',
      '--network=none',
      PROBE_IMAGE,
      '/bin/probe',
      'env',
    );

    assert.match(stdout, /^FROM_CONF=yes$/m, stderr);
  }));

test('are the directories of mounts.conf, which keep what they are', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const host = scratch.makeDirectory('secrets');
    const config = join(scratch.makeDirectory('config'), 'containers');
    mkdirSync(config);
    writeFileSync(join(host, 'key'), 'of the host');
    writeFileSync(
      join(config, 'mounts.conf'),
      `# nothing\n${host}:/run/shared\n/not/there:/x\n${join(host, 'key')}:/key\n`,
    );
    const configured = tsman.with({ env: { XDG_CONFIG_HOME: join(config, '..') } });

    const run = ['run', '--network=none', PROBE_IMAGE, '/bin/probe'];
    const wrote = await configured(...run, 'write', '/run/shared/key', 'changed');
    assert.is(wrote.exitCode, 0, wrote.stderr);
    assert.is(readFileSync(join(host, 'key'), 'utf8'), 'of the host');
    assert.is.not((await configured(...run, 'write', '/key', 'changed')).exitCode, 0);
    const typed = ['run', '--rm', '--network=none', '-v', `${host}:/run/shared:ro`];
    const refused = await configured(...typed, ...run.slice(2), 'write', '/run/shared/key', 'x');
    assert.is.not(refused.exitCode, 0, 'the command line wins');
    const info = await configured('info', '--format', '{{json .ConfigFiles}}');
    assert.ok(info.stdout.includes(join(config, 'mounts.conf')), info.stdout);
  }));

test('name the driver: storage.conf', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const file = join(scratch.directory, 'storage.conf');
    const configured = tsman.with({ env: { CONTAINERS_STORAGE_CONF: file } });
    const driver = async (text: string): Promise<string> => {
      writeFileSync(file, text);
      return (await configured('info', '-f', '{{.Store.GraphDriverName}}')).stdout.trim();
    };
    const overlay = '[storage.options.overlay]\nmount_program = "/usr/bin/fuse-overlayfs"\n';
    assert.is(await driver(`[storage]\ndriver = "overlay"\n${overlay}`), 'fuse-overlayfs');
    assert.is(await driver('[storage]\ndriver = "vfs"\n'), 'vfs');
    await configured('create', '--name', 'c', '--network=none', PROBE_IMAGE);
    const inspected = await tsman('inspect', '-f', '{{.GraphDriver.Name}}', 'c');
    assert.is(inspected.stdout, 'vfs\n', inspected.stderr);
  }));

test('are not read by ps, and a mistake in them is reported with the file', () =>
  withScratch(async (tsman, scratch) => {
    const file = join(scratch.directory, 'containers.conf');
    writeFileSync(file, '[containers]\nenv = "A=1"\n');
    const configured = tsman.with({ env: { CONTAINERS_CONF: file } });

    assert.is((await configured('ps')).exitCode, 0);
    const { exitCode, stderr } = await configured('create', 'x');
    assert.is(exitCode, 125);
    assert.is(stderr, `Error: read ${file}: containers.env is not a list of strings\n`);
  }));

test('say at --log-level=info what is not used', () =>
  withScratch(async (tsman, scratch) => {
    const file = join(scratch.directory, 'containers.conf');
    writeFileSync(file, '[engine]\nruntime = "crun"\n');
    const configured = tsman.with({ env: { CONTAINERS_CONF: file } });

    const { stderr } = await configured('--log-level=info', 'start', 'x');
    assert.match(
      stderr,
      /^info: .*: engine\.runtime is not used: tsman has a runtime of its own$/m,
    );
    assert.not.match((await configured('start', 'x')).stderr, /runtime/);
  }));

test.run();
