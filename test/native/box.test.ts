import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { isAlive, untilEnded } from '../support/until.ts';
import { type Bench, endContainer, type PlanRecord, withBench } from './helper-plan.ts';

const test = suite('a box');
const declare = requires(test, 'userns', 'subids');
const PROBE = '/bin/probe';
const DETACHED = { settings: [['announce', 'running']] as PlanRecord[] };

function start(bench: Bench, id: string, settings: readonly PlanRecord[] = []): void {
  const options = { settings: [...DETACHED.settings, ...settings] };
  const { exitCode, stdout, stderr } = bench.box(id, [PROBE, 'sleep'], options);
  assert.is(exitCode, 0, stderr);
  assert.is(stdout, 'running\n');
}

declare('relays output, exit status and signals', () =>
  withBench((bench) => {
    assert.equal(bench.box('a', [PROBE, 'echo', 'hello']), {
      exitCode: 0,
      stdout: 'hello\n',
      stderr: '',
    });
    assert.is(bench.box('b', [PROBE, 'exit', '7']).exitCode, 7);
    assert.is(bench.box('c', [PROBE, 'stderr', 'oops']).stderr, 'oops\n');
    const settings: PlanRecord[] = [
      ['attach', 'stdin,stdout'],
      ['stdin', 'open'],
    ];
    assert.is(bench.box('d', [PROBE, 'cat'], { settings }, 'in and out').stdout, 'in and out');
  }),
);

declare('says 127 for a missing program, 126 for one that is none', () =>
  withBench((bench) => {
    assert.is(bench.box('a', ['/missing']).exitCode, 127);
    assert.is(bench.box('b', ['missing']).exitCode, 127);
    assert.is(bench.box('c', ['/etc/passwd']).exitCode, 126);
    assert.is(bench.box('d', ['/etc']).exitCode, 126);
    assert.is(bench.box('e', [PROBE, 'id'], { user: 'nobody' }).exitCode, 125);
  }),
);

declare('gives the program descriptors 0, 1, 2 and an environment of the plan alone', () =>
  withBench((bench) => {
    const fds = bench.box('a', [PROBE, 'fds']).stdout.trim().split('\n');
    assert.is(fds.length, 3, fds.join());
    const late: PlanRecord[] = [
      ['env', 'A=1'],
      ['default-env', 'A', '2'],
    ];
    assert.is(bench.box('b', [PROBE, 'env'], { late }).stdout, 'PATH=/bin\nA=1\nHOME=/root\n');
  }),
);

declare('never gets a directory outside its root (CVE-2024-21626)', () =>
  withBench((bench) => {
    for (const path of ['/proc/self/fd/3', '/proc/self/cwd', '/proc/1/root'])
      for (const mode of ['', 'create']) {
        const late: PlanRecord[] = [['cwd', path, mode]];
        assert.is(bench.box('a', [PROBE, 'where'], { late }).exitCode, 125, path);
      }
    symlinkSync('../../../../../..', join(bench.rootfs, 'up'));
    const late: PlanRecord[] = [['cwd', '/up/made/here', 'create']];
    assert.is(bench.box('b', [PROBE, 'where'], { late }).exitCode, 0);
    assert.ok(existsSync(join(bench.rootfs, 'made/here')));
  }),
);

declare('makes destinations inside the root, whatever links the image has', () =>
  withBench((bench) => {
    const outside = join(bench.directory, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(bench.rootfs, 'link'));
    const steps: PlanRecord[] = [
      ['mkdir', '/link/sub/dir', '755'],
      ['write', '/link/file', '644', 'text'],
      ['bind', '/etc/hostname', '/link/bound', 'ro'],
      ['symlink', 'target', '/link/made'],
    ];
    const { exitCode, stderr } = bench.box('a', [PROBE, 'cat', '/link/file'], { steps });
    assert.is(exitCode, 0, stderr);
    const { stdout } = bench.run('unshare', [
      ...bench.userNamespace(),
      ['exec', '/bin/ls', outside],
    ]);
    assert.is(stdout, '');
  }),
);

declare('refuses a root whose /proc is a link (CVE-2019-19921)', () =>
  withBench((bench) => {
    rmSync(join(bench.rootfs, 'proc'), { recursive: true });
    symlinkSync('tmp', join(bench.rootfs, 'proc'));
    const { exitCode, stderr } = bench.box('a', [PROBE, 'id']);
    assert.is(exitCode, 125);
    assert.match(stderr, 'mount: /proc: Too many levels of symbolic links');
  }),
);

declare('puts devices into its own tmpfs although /dev is a link (CVE-2026-41579)', () =>
  withBench((bench) => {
    const outside = join(bench.directory, 'outside');
    mkdirSync(outside);
    rmSync(join(bench.rootfs, 'dev'), { recursive: true });
    symlinkSync(outside, join(bench.rootfs, 'dev'));
    bench.box('a', [PROBE, 'id']);
    assert.not.ok(existsSync(join(outside, 'null')));
  }),
);

declare('masks and write-protects', () =>
  withBench((bench) => {
    bench.writeInside('etc/secret', 'secret');
    const steps: PlanRecord[] = [
      ['mask', '/etc/secret'],
      ['mask', '/home'],
      ['mask', '/not/there'],
      ['readonly', '/tmp'],
      ['readonly', '/proc/sys'],
    ];
    assert.is(bench.box('a', [PROBE, 'cat', '/etc/secret'], { steps }).stdout, '');
    assert.is(bench.box('b', [PROBE, 'ls', '/home'], { steps }).stdout, '');
    const write = bench.box('c', [PROBE, 'write', '/tmp/x', 'y'], { steps });
    assert.is(write.exitCode, 1);
    assert.match(write.stderr, 'Read-only');
    const plan = bench.container('d');
    const readOnly = plan.map((r): PlanRecord => (r[0] === 'pivot' ? ['pivot', 'ro'] : r));
    const { stderr } = bench.run('box', [...readOnly, ['exec', PROBE, 'write', '/new', 'y']]);
    assert.match(stderr, 'Read-only');
  }),
);

declare('stacks layers and keeps changes in the upper directory', () =>
  withBench((bench) => {
    const top = join(bench.directory, 'top');
    mkdirSync(join(top, 'etc'), { recursive: true });
    writeFileSync(join(top, 'etc/layer'), 'upper layer');
    bench.writeInside('etc/layer', 'lower layer');
    const upper = join(bench.directory, 'a/upper');
    const work = join(bench.directory, 'a/work');
    const rootfs: PlanRecord = ['rootfs-overlay', upper, work, '', top, bench.rootfs];
    assert.is(bench.box('a', [PROBE, 'cat', '/etc/layer'], { rootfs }).stdout, 'upper layer');
    assert.is(bench.box('a', [PROBE, 'write', '/new', 'kept'], { rootfs }).exitCode, 0);
    assert.is(readFileSync(join(upper, 'new'), 'utf8'), 'kept');
    const only: PlanRecord = ['rootfs-overlay', '', '', 'ro', top, bench.rootfs];
    const { stderr } = bench.box('b', [PROBE, 'write', '/new', 'x'], { rootfs: only });
    assert.match(stderr, 'Read-only');
  }),
);

declare('gives a terminal of the container itself, on /dev/console too', () =>
  withBench((bench) => {
    const settings: PlanRecord[] = [
      ['attach', 'stdout'],
      ['terminal', '24', '80'],
    ];
    const steps: PlanRecord[] = [['console']];
    const tty = bench.box('a', [PROBE, 'isatty'], { settings, steps });
    assert.is(tty.exitCode, 0, tty.stderr);
    assert.is(bench.box('b', [PROBE, 'size'], { settings }).stdout.trim(), '24 80');
    const write = bench.box('c', [PROBE, 'write', '/dev/console', 'hi'], { settings, steps });
    assert.is(write.stdout, 'hi');
  }),
);

declare('lets go of the caller, holds its lock, and ends with its monitor', () =>
  withBench(async (bench) => {
    start(bench, 'a');
    const again = bench.box('a', [PROBE, 'id'], DETACHED);
    assert.is(again.exitCode, 125);
    assert.match(again.stderr, 'lock: monitor.lock');
    const { pid, monitor } = bench.state('a');
    assert.ok(isAlive(Number(pid)));
    process.kill(Number(monitor), 'SIGKILL');
    await untilEnded(Number(pid));
    start(bench, 'a');
    await endContainer(bench, 'a');
  }),
);

declare('shares one user namespace with the others, also after its maker has ended', () =>
  withBench(async (bench) => {
    if (process.geteuid?.() === 0) return;
    const namespaceOf = (id: string) => bench.exec(id, [PROBE, 'cat', '/proc/self/uid_map']).stdout;
    start(bench, 'a');
    start(bench, 'b');
    const link = (id: string) =>
      bench.run('unshare', [
        ...bench.userNamespace(),
        ['exec', '/bin/readlink', `/proc/${bench.state(id)['monitor']}/ns/user`],
      ]).stdout;
    assert.is(link('a'), link('b'));
    await endContainer(bench, 'a');
    start(bench, 'c');
    assert.is(link('c'), link('b'));
    assert.match(namespaceOf('c'), /^\s+0\s+\d+\s+1\n/);
    await endContainer(bench, 'b');
    await endContainer(bench, 'c');
  }),
);

declare('takes commands by exec, with terminal, status and a user of their own', () =>
  withBench(async (bench) => {
    start(bench, 'a');
    assert.is(bench.exec('a', [PROBE, 'exit', '9']).exitCode, 9);
    assert.is(bench.exec('a', ['missing']).exitCode, 127);
    assert.is(
      bench.exec('a', [PROBE, 'id'], [['user', 'alice']]).stdout,
      '1000 1000 1000 1000 50\n',
    );
    assert.is(bench.exec('a', [PROBE, 'id'], [['user', '1000:-1']]).exitCode, 125);
    assert.is(bench.exec('a', [PROBE, 'fds']).stdout.trim().split('\n').length, 3);
    assert.match(bench.exec('a', [PROBE, 'caps']).stdout, /CapInh:\s+0+\n/);
    assert.is(bench.exec('a', [PROBE, 'isatty'], [['terminal', '10', '20']]).exitCode, 0);
    const { pid = '', start: began = '' } = bench.state('a');
    await endContainer(bench, 'a');
    const gone = bench.run('exec', [
      ['target', pid, began],
      ['capabilities', '0', '0', '0', '0'],
      ['exec', PROBE],
    ]);
    assert.match(gone.stderr, 'target:');
    assert.is(gone.exitCode, 125);
  }),
);

declare('never exposes the helper for writing (CVE-2019-5736)', () =>
  withBench(async (bench) => {
    const helper = join(import.meta.dirname, '../../native/build/tsman-helper');
    const digest = () => createHash('sha256').update(readFileSync(helper)).digest('hex');
    const before = digest();
    // The payload is our own program, which would be the host's file.
    assert.match(bench.box('a', ['/proc/self/exe', 'version']).stdout, /^\d+\./);
    start(bench, 'b');
    assert.match(bench.exec('b', ['/proc/self/exe', 'version']).stdout, /^\d+\./);
    const mounts = bench.exec('b', [PROBE, 'mounts']).stdout;
    assert.not.match(mounts, 'tsman-helper');
    await endContainer(bench, 'b');
    assert.is(digest(), before);
  }),
);

declare('joins namespaces of another container', () =>
  withBench(async (bench) => {
    start(bench, 'a');
    const { pid = '', start: began = '' } = bench.state('a');
    const join = (kind: string): PlanRecord => ['join', kind, pid, began];
    const plan = bench
      .container('b', {
        settings: [['attach', 'stdout'], join('pid'), join('net'), join('ipc'), join('uts')],
      })
      .map((r): PlanRecord => (r[0] === 'namespaces' ? ['namespaces', 'mount,cgroup'] : r));
    const { stdout, stderr } = bench.run('box', [...plan, ['exec', PROBE, 'where']]);
    assert.match(stdout, /\b2\b/, stderr);
    const wrong = plan.map(
      (r): PlanRecord => (r[0] === 'join' ? ['join', r[1] ?? '', pid, '1'] : r),
    );
    assert.match(bench.run('box', [...wrong, ['exec', PROBE, 'id']]).stderr, 'join:');
    await endContainer(bench, 'a');
  }),
);

declare('loads a compiled system call filter', () =>
  withBench((bench) => {
    const rules = join(bench.directory, 'rules');
    const filter = join(bench.directory, 'filter');
    writeFileSync(
      rules,
      'default SCMP_ACT_ALLOW 0\nrule SCMP_ACT_ERRNO 13 mkdirat\nrule SCMP_ACT_ERRNO 71 sethostname\n' +
        'rule SCMP_ACT_ERRNO 1 no_such_call\nrule SCMP_ACT_ERRNO 22 chown\nrule SCMP_ACT_ERRNO 22 lchown\n' +
        'rule SCMP_ACT_ERRNO 1 personality 0 SCMP_CMP_EQ 8 0 0 SCMP_CMP_EQ 9 0\n',
    );
    assert.is(bench.call(['seccomp', rules, filter]).exitCode, 0);
    const late: PlanRecord[] = [['seccomp', filter]];
    assert.match(bench.box('a', [PROBE, 'status', 'Seccomp'], { late }).stdout, /2/);
    const chown = bench.box('b', [PROBE, 'chown', '0', '0', '/tmp'], { late });
    assert.match(chown.stderr, 'Invalid argument');
    writeFileSync(filter, 'short');
    assert.match(bench.box('c', [PROBE, 'id'], { late }).stderr, 'seccomp:');
    writeFileSync(rules, 'default SCMP_ACT_ALLOW 0\nrule SCMP_ACT_WHATEVER 1 mkdir\n');
    assert.is(bench.call(['seccomp', rules, filter]).exitCode, 125);
  }),
);

declare("runs in a user namespace of its own inside the engine's", () =>
  withBench((bench) => {
    if (process.geteuid?.() === 0) return;
    const maps = ['uid', 'gid'].flatMap((kind): PlanRecord[] => [
      [`inner-${kind}-map`, '0', '1', '1000'],
      [`inner-${kind}-map`, '1000', '0', '1'],
    ]);
    const plan = bench
      .container('a', { user: '1000', settings: [['attach', 'stdout'], ...maps] })
      .map((r): PlanRecord => (r[0] === 'namespaces' ? [r[0], `${r[1]},user`] : r));
    const { stdout, stderr } = bench.run('box', [...plan, ['exec', PROBE, 'id']]);
    assert.is(stdout, '1000 1000 1000 1000 50\n', stderr);
  }),
);

test.run();
