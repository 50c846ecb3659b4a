import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

/** The grammar of values of run's options, as Podman and Docker have it. */
const test = suite('values of the options of tsman run');
const inBox = requires(test, 'userns');

function withProbe(body: (tsman: Tsman, scratch: Scratch) => Promise<void>): () => Promise<void> {
  return () =>
    withScratch(async (tsman, scratch) => {
      await loadProbe(tsman);
      await body(tsman, scratch);
    });
}

async function run(tsman: Tsman, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await tsman('run', '--rm', '--network=none', ...args);
  assert.is(exitCode, 0, stderr);
  return stdout;
}

async function refuses(
  tsman: Tsman,
  rows: readonly (readonly [string[], RegExp])[],
): Promise<void> {
  for (const [args, pattern] of rows) {
    const { exitCode, stderr } = await tsman('create', ...args, PROBE_IMAGE, 'probe');
    assert.is(exitCode, 125, args.join(' '));
    assert.match(stderr, pattern, args.join(' '));
  }
}

async function inspect(tsman: Tsman, field: string, ...options: string[]): Promise<string> {
  const made = await tsman('create', '--replace', '--name=c', ...options, PROBE_IMAGE, 'probe');
  assert.is(made.exitCode, 0, made.stderr);
  const { stdout } = await tsman('inspect', '--format', `{{json ${field}}}`, 'c');
  return stdout.trim();
}

inBox(
  '--env-file: what ends a line is of the value, what begins it is not',
  withProbe(async (tsman, scratch) => {
    const file = join(scratch.directory, 'env');
    writeFileSync(
      file,
      '\uFEFFFIRST=1\r\n\n# no\n  # nor this\n\tTAB="q" \nMINE\nNONE\nWILD*\nA=b=c\nEMPTY=\n',
    );
    const env = { MINE: 'mine', WILD_1: 'one', WILD_2: 'two' };

    const stdout = await run(tsman.with({ env }), '--env-file', file, PROBE_IMAGE, 'probe', 'env');

    const seen = stdout
      .split('\n')
      .filter((line) => !/^(PATH|HOME|HOSTNAME|container|FROM_IMAGE)=/.test(line));
    const wanted = ['FIRST=1', 'TAB="q" ', 'MINE=mine', 'WILD_1=one', 'WILD_2=two'];
    assert.equal(seen, [...wanted, 'A=b=c', 'EMPTY=', '']);
    writeFileSync(file, '=x\n');
    await refuses(tsman, [
      [['--env-file', file], /no name before "="/],
      [['--env-file', '/missing'], /\/missing: .*no such file/],
    ]);
  }),
);

inBox(
  '--label-file: the same lines, but no blanks in names',
  withProbe(async (tsman, scratch) => {
    const file = join(scratch.directory, 'labels');
    writeFileSync(file, '# no\n\n  a=1 \nb\nc="x"\n');

    const labels = await inspect(tsman, '.Config.Labels', '--label-file', file, '--label', 'b=2');

    assert.equal(JSON.parse(labels), { a: '1 ', b: '2', c: '"x"' });
    writeFileSync(file, 'b = 2\n');
    await refuses(tsman, [[['--label-file', file], /blank in the name "b "/]]);
  }),
);

inBox(
  '--sysctl sets what is of the container’s own namespaces only',
  withProbe(async (tsman) => {
    const show = [PROBE_IMAGE, 'probe', 'cat', '/proc/sys/net/ipv4/ip_forward'];
    for (const name of ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'])
      assert.is(await run(tsman, '--sysctl', `${name}=1`, ...show), '1\n');

    await refuses(tsman, [
      [['--sysctl', 'vm.swappiness=1'], /vm\.swappiness: not a setting of one container/],
      [['--sysctl', 'kernel.pid_max=99999'], /not a setting of one container/],
      [['--sysctl', 'user.max_user_namespaces=1'], /not a setting of one container/],
      [['--sysctl', 'net/../kernel/pid_max=99999'], /not a setting of one container/],
      [['--sysctl', 'kernel.hostname=x'], /hint: use --hostname/],
      [['--sysctl', 'net.core.somaxconn=9', '--network=host'], /not with --network host/],
      [['--sysctl', 'kernel.msgmax=9', '--ipc=host'], /not with --ipc host/],
      [['--sysctl', 'net.core.somaxconn'], /not NAME=VALUE/],
    ]);
  }),
);

inBox(
  '--user NAME: is NAME; an empty value is as good as none',
  withProbe(async (tsman) => {
    const alone = await run(tsman, '--user', 'alice', PROBE_IMAGE, 'probe', 'id');
    assert.is(await run(tsman, '--user', 'alice:', PROBE_IMAGE, 'probe', 'id'), alone);
    const texts = [
      'name',
      'workdir',
      'hostname',
      'tz',
      'umask',
      'stop-signal',
      'shm-size',
      'cidfile',
    ];
    const more = [
      'memory',
      'platform',
      'sdnotify',
      'systemd',
      'pull',
      'health-interval',
      'restart',
    ];
    const lists = ['ulimit', 'env-file', 'label-file', 'device', 'group-add', 'network', 'user'];
    const empty = [...texts, ...more, ...lists].map((name) => `--${name}=`);
    await run(tsman, ...empty, PROBE_IMAGE, 'probe', 'id');
    await refuses(tsman, [
      [['--cpus='], /--cpus/],
      [['--pids-limit='], /--pids-limit/],
    ]);
  }),
);

inBox(
  'the host name is that of the UTS namespace, and the host’s on its network',
  withProbe(async (tsman) => {
    const host = hostname();
    const seen = async (...options: string[]): Promise<string[]> => {
      const files = ['/proc/sys/kernel/hostname', '/etc/hostname'];
      const run = ['run', '--rm', ...options, PROBE_IMAGE, 'probe'];
      const names = (await tsman(...run, 'cat', ...files)).stdout;
      const env = (await tsman(...run, 'env')).stdout;
      return [...names.split('\n').filter(Boolean), /^HOSTNAME=(.*)$/m.exec(env)?.[1] ?? ''];
    };
    assert.equal(await seen('--network=host'), [host, host, host]);
    assert.equal(await seen('--network=host', '--hostname=own'), ['own', 'own', 'own']);
    assert.equal(await seen('--network=none', '--uts=host'), [host, host, host]);
    const other = ['run', '-d', '--network=none', '--name=c', '--hostname=other', PROBE_IMAGE];
    await tsman(...other, 'probe', 'sleep');
    const shared = await seen('--network=none', '--uts=container:c');
    assert.equal(shared, ['other', 'other', 'other']);
  }),
);

inBox(
  'inspect shows what was asked for',
  withProbe(async (tsman, scratch) => {
    await tsman('create', '--name=first', '--network=none', PROBE_IMAGE, 'probe');
    const id = (await tsman('inspect', '--format={{.Id}}', 'first')).stdout.trim();
    const file = (name: string): string => join(scratch.directory, name);
    const options = ['--requires=first', '--volumes-from=first:ro', '--domainname=nis', '-P'];
    const files = [`--cidfile=${file('cid')}`, `--conmon-pidfile=${file('pid')}`];
    await tsman('create', '--name=c', ...options, ...files, PROBE_IMAGE, 'probe');

    const [shown] = JSON.parse((await tsman('inspect', 'c')).stdout);

    assert.equal(shown.Dependencies, [id]);
    assert.is(shown.ConmonPidFile, file('pid'));
    assert.is(shown.Config.Domainname, 'nis');
    const { ContainerIDFile, VolumesFrom, PublishAllPorts } = shown.HostConfig;
    assert.equal(
      [ContainerIDFile, VolumesFrom, PublishAllPorts],
      [file('cid'), ['first:ro'], true],
    );
  }),
);

inBox(
  'capabilities, no-new-privileges and --replace are not misunderstood',
  withProbe(async (tsman) => {
    const dropped = await inspect(tsman, '.HostConfig.CapDrop', '--cap-drop', 'chown,kill');
    assert.equal(JSON.parse(dropped), ['CAP_CHOWN', 'CAP_KILL']);
    await refuses(tsman, [
      [['--cap-add', 'net_admin', '--cap-drop', 'net_admin'], /both added and dropped/],
      [['--cap-drop', 'bogus'], /unknown capability "bogus"/],
      [['--security-opt', 'no-new-privileges=yes'], /want true or false/],
      [['--group-add=keep-groups', '--group-add=x'], /keep-groups goes with no other/],
      [['--replace'], /--replace needs --name/],
      [['--pull', 'sometimes'], /"sometimes" is none of always, missing/],
    ]);
    await run(tsman, '--pull', 'Never', PROBE_IMAGE, 'probe', 'id');
  }),
);

inBox(
  '--health-cmd takes the words of a Dockerfile, JSON and none; times need a unit',
  withProbe(async (tsman) => {
    const rest = { Interval: 30e9, Timeout: 30e9, Retries: 3 };
    for (const [command, words] of [
      ['true x', ['CMD-SHELL', 'true x']],
      ['CMD probe  id', ['CMD', 'probe', 'id']],
      ['CMD-SHELL a && b', ['CMD-SHELL', 'a && b']],
      ['["probe","id"]', ['CMD', 'probe', 'id']],
      ['["CMD-SHELL","a","b"]', ['CMD-SHELL', 'a b']],
      ['[ -e /x ]', ['CMD-SHELL', '[ -e /x ]']],
    ] as const) {
      const shown = await inspect(tsman, '.Config.Healthcheck', '--health-cmd', command);
      assert.equal(JSON.parse(shown), { Test: words, ...rest }, command);
    }
    for (const none of [['--no-healthcheck'], ['--health-cmd=none'], ['--health-cmd=["NONE"]']])
      assert.is(await inspect(tsman, '.Config.Healthcheck', ...none), '{"Test":["NONE"]}');
    assert.is(await inspect(tsman, '.Config.Healthcheck', '--health-cmd='), 'null');
    const times = ['--health-interval=0', '--health-timeout=.5s', '--health-start-period=1m1us'];
    assert.equal(
      JSON.parse(await inspect(tsman, '.Config.Healthcheck', '--health-cmd=x', ...times)),
      { Test: ['CMD-SHELL', 'x'], Timeout: 5e8, Retries: 3, StartPeriod: 60_001e6 },
    );
    await refuses(tsman, [
      [['--health-cmd=x', '--health-interval=5'], /"5" has no unit/],
      [['--health-cmd=[]'], /--health-cmd: no command/],
      [['--health-on-failure=kill'], /there is no health check/],
      [['--health-startup-cmd=x'], /there is no health check/],
      [['--no-healthcheck', '--health-startup-cmd=x'], /needs a health check/],
    ]);
  }),
);

test.run();
