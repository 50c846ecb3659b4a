import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE, probeDirectory } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';

// run: root

const test = suite('privileges of a container');
const declare = requires(test, 'userns');
const ALONE = ['--network', 'none'];

const run = (tsman: Tsman, options: readonly string[], ...command: string[]) =>
  tsman('run', '--rm', ...ALONE, ...options, PROBE_IMAGE, 'probe', ...command);

declare('nothing is inheritable, in run and in exec (CVE-2022-29162, CVE-2022-27649…27651)', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('run', '-d', '--name', 'c', ...ALONE, PROBE_IMAGE, 'probe', 'sleep');
    for (const options of [[], ['--user', 'alice'], ['--privileged']]) {
      assert.match((await run(tsman, options, 'caps')).stdout, /^CapInh:\t0{16}\n/);
      const { stdout } = await tsman('exec', ...options, 'c', 'probe', 'caps');
      assert.match(stdout, /^CapInh:\t0{16}\n/);
    }
  }),
);

declare("groups are those of the image's user, and none of the host's (CVE-2022-2989)", () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('run', '-d', '--name', 'c', ...ALONE, PROBE_IMAGE, 'probe', 'sleep');
    for (const [user, groups] of [
      ['root', '0 0 0 0\n'],
      ['alice', '1000 1000 1000 1000 50\n'],
      ['1000:50', '1000 1000 50 50\n'],
      ['4321', '4321 4321 0 0\n'],
    ] as const) {
      assert.is((await run(tsman, ['--user', user], 'id')).stdout, groups);
      assert.is((await tsman('exec', '--user', user, 'c', 'probe', 'id')).stdout, groups);
    }
  }),
);

declare('exec runs as exactly the user that was asked for, or not at all (CVE-2026-30892)', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('run', '-d', '--name', 'c', ...ALONE, PROBE_IMAGE, 'probe', 'sleep');
    const wrong = [':', '-1', '4294967295', '4294967296', '18446744073709551616', '0x0'];
    wrong.push(' 0', '0 ', '+0', '1e3', 'root ', '0:-1', '0:4294967295', '0:0:0', '\t');
    for (const user of wrong) {
      const { exitCode, stdout } = await tsman('exec', `--user=${user}`, 'c', 'probe', 'id');
      assert.equal([exitCode, stdout], [126, ''], `"${user}"`);
    }
    for (const user of ['1000:', 'alice:'])
      assert.is(
        (await tsman('exec', `--user=${user}`, 'c', 'probe', 'id')).stdout,
        '1000 1000 1000 1000 50\n',
      );
    // No user means the image's, as in run; a group alone is root's with that group.
    assert.is((await tsman('exec', '--user=:50', 'c', 'probe', 'id')).stdout, '0 0 50 50\n');
  }),
);

declare('sockets of AF_ALG and AF_VSOCK are refused, whatever the upper half says', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const [alg, vsock, high] = [38, 40, 2 ** 32];
    // CVE-2026-31431. The kernel takes 32 bits of the family, a filter's comparison 64.
    const families = [alg, vsock, alg + high, vsock + high, alg - high, vsock - high].map(String);
    for (const options of [[], ['--cap-add', 'all']])
      for (const how of ['socket', 'socket32']) {
        const { stdout } = await run(tsman, options, how, '5', ...families);
        assert.match(stdout, /^((EAFNOSUPPORT|ENOSYS)\n){6}$/, how);
      }
    // Those of ordinary programs: unix, inet, inet6, netlink.
    assert.is(
      (await run(tsman, [], 'socket', '2', '1', '2', '10', '16')).stdout,
      'open\n'.repeat(4),
    );
  }),
);

declare("what is the host's in /proc and /sys cannot be written (CVE-2023-25809)", () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await tsman('run', '-d', '--name', 'c', ...ALONE, PROBE_IMAGE, 'probe', 'sleep');
    for (const path of ['/sys/fs/cgroup/cgroup.procs', '/proc/sys/kernel/core_pattern'])
      for (const words of [
        ['run', '--rm', ...ALONE, PROBE_IMAGE],
        ['exec', 'c'],
      ]) {
        const { exitCode, stderr } = await tsman(...words, 'probe', 'write', path, '1');
        assert.is(exitCode, 1, path);
        assert.match(stderr, /Read-only|Permission denied/);
      }
    // CVE-2019-16884, CVE-2025-52881: a /proc of somebody's own gets nothing that is meant for the kernel.
    const fake = scratch.makeDirectory('fake');
    mkdirSync(join(fake, 'self'));
    for (const name of ['oom_score_adj', 'setgroups', 'uid_map'])
      writeFileSync(join(fake, 'self', name), 'untouched');
    const over = ['-v', `${fake}:/proc`, '--oom-score-adj', '500'];
    assert.is((await run(tsman, over, 'id')).exitCode, 0);
    for (const name of ['oom_score_adj', 'setgroups', 'uid_map'])
      assert.is(readFileSync(join(fake, 'self', name), 'utf8'), 'untouched');
  }),
);

declare("what is stored is its owner's alone (CVE-2021-21284, CVE-2021-41091)", () =>
  withScratch(async (tsman, { root, runRoot }) => {
    await loadProbe(tsman);
    const name = ['--name', 'c', '-v', 'data:/data'];
    await tsman('run', '-d', ...name, ...ALONE, PROBE_IMAGE, 'probe', 'sleep');
    const roots = ['containers', 'layers', 'volumes', 'images'].map((it) => join(root, it));
    for (const path of [root, runRoot, ...roots, join(runRoot, 'containers')])
      assert.is((statSync(path).mode & 0o077).toString(8), '0', path);
  }),
);

declare("the caller's session keyring stays with the caller", () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const free = ['--security-opt', 'seccomp=unconfined'];
    await tsman('run', '-d', '--name', 'c', ...free, ...ALONE, PROBE_IMAGE, 'probe', 'sleep');
    const { stdout: own } = spawnSync(join(await probeDirectory(), 'probe'), ['keyring'], {
      encoding: 'utf8',
    });
    const first = (await run(tsman, free, 'keyring')).stdout;
    const executed = (await tsman('exec', 'c', 'probe', 'keyring')).stdout;

    for (const id of [own, first, executed]) assert.match(id, /^\d+\n$/);
    assert.is(new Set([own, first, executed]).size, 3);
  }),
);

declare("files of the caller's are not what a container can open again by /proc/self/fd", () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await tsman('run', '-d', '--name', 'c', ...ALONE, PROBE_IMAGE, 'probe', 'sleep');
    const input = join(scratch.directory, 'input');
    const output = join(scratch.directory, 'output');
    writeFileSync(input, 'x'.repeat(200_000));
    const runs = [
      ['exec', '-i', 'c'],
      ['exec', 'c'],
      ['run', '--rm', '-i', ...ALONE, PROBE_IMAGE],
    ];
    for (const words of runs) {
      for (const command of [['fds'], ['chmod', '0', '/proc/self/fd/0']]) {
        const streams = [openSync(input, 'r'), openSync(output, 'w+')] as const;
        spawnSync(tsmanPath(), [...words, 'probe', ...command], {
          stdio: [streams[0], streams[1], streams[1]],
          env: { ...process.env, ...tsmanEnv(scratch) },
        });
        for (const fd of streams) closeSync(fd);
        const text = readFileSync(output, 'utf8');
        if (command[0] === 'fds')
          assert.match(
            text,
            words.includes('-i') ? /^0 pipe:.*\n1 pipe:.*\n2 pipe:/ : /^1 pipe:.*\n2 pipe:/m,
          );
        assert.is.not(statSync(input).mode & 0o777, 0);
      }
    }
    // And all of it arrives.
    const result = spawnSync(tsmanPath(), ['exec', '-i', 'c', 'probe', 'cat', '/dev/stdin'], {
      input: readFileSync(input),
      env: { ...process.env, ...tsmanEnv(scratch) },
      encoding: 'utf8',
    });
    assert.is(result.stdout.length, 200_000);
  }),
);

declare("the host's devices keep their modes, whoever runs the container", () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((it) => `/dev/${it}`);
    const modes = devices.map((path) => statSync(path).mode);
    const covered = ['/proc/keys', '/proc/kcore', '/proc/timer_list'];
    try {
      for (const options of [[], ['--privileged']])
        await run(tsman, options, 'chmod', '0', ...devices, ...covered, '/proc/self/fd/0');
      await tsman('run', '-d', '--name', 'c', ...ALONE, PROBE_IMAGE, 'probe', 'sleep');
      await tsman('exec', 'c', 'probe', 'chmod', '0', ...devices, '/proc/self/fd/0');

      assert.equal(
        devices.map((path) => statSync(path).mode),
        modes,
      );
      // They work.
      assert.is((await run(tsman, [], 'write', '/dev/null', 'x')).exitCode, 0);
    } finally {
      if (process.geteuid?.() === 0)
        for (const [i, path] of devices.entries()) chmodSync(path, modes[i] ?? 0o666);
    }
  }),
);

test.run();
