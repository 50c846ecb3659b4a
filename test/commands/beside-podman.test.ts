// timeout: 300
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { probeDirectory } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';

/** What a container sees, next to Podman's; docs/differences.md names every difference and its reason. */
const test = suite('a container beside one of podman');
const inBoth = requires(test, 'userns', 'user', 'subids', 'podman');

const FILES = ['/proc/self/status', '/proc/self/limits', '/proc/self/mountinfo'];

/** Capabilities, seccomp and identity, line by line. */
const STATUS = /^(Cap\w+|NoNewPrivs|Seccomp|Uid|Gid):/;
/** The caller's own limit, where Podman caps it at kernel.pid_max. */
const OWN_LIMITS = /^Max processes/;
/** Covers that Docker has since CVE-2020-8694 and Podman 4 has not. */
const FURTHER_COVERS = ['/proc/interrupts', '/sys/devices/virtual/powercap'];
/** cgroup v2 only, in one mount. */
const CGROUPS = /^\/sys\/fs\/cgroup/;

interface Seen {
  readonly status: readonly string[];
  readonly limits: readonly string[];
  readonly mounts: ReadonlyMap<string, { readonly type: string; readonly flags: string[] }>;
}

function parse(text: string): Seen {
  const lines = text.split('\n');
  const mounts = lines.flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , place = '', flags = ''] = before.split(' ');
    return after === ''
      ? []
      : [[place, { type: after.split(' ')[0] ?? '', flags: flags.split(',') }] as const];
  });
  return {
    status: lines.filter((line) => STATUS.test(line)),
    limits: lines.filter((line) => line.startsWith('Max ') && !OWN_LIMITS.test(line)),
    mounts: new Map(mounts),
  };
}

/** A directory with nothing but the probe in it, and what both engines make there. */
async function makeRoot(scratch: Scratch, name: string): Promise<string> {
  const root = scratch.makeDirectory(name);
  for (const directory of ['bin', 'etc', 'run']) mkdirSync(join(root, directory));
  copyFileSync(join(await probeDirectory(), 'probe'), join(root, 'bin/probe'));
  return root;
}

async function besidePodman(options: readonly string[], check: (podman: Seen, ours: Seen) => void) {
  await withScratch(async (tsman, scratch) => {
    const run = (root: string): string[] => [
      ...['run', '--rm', '--network=none', '--hostname=h', ...options],
      ...['--rootfs', root, '/bin/probe', 'cat', ...FILES],
    ];
    const places = ['root', 'runroot'].flatMap((name) => [
      `--${name}`,
      join(scratch.directory, `p${name}`),
    ]);
    const podman = await execa(
      'podman',
      [
        ...[...places, '--cgroup-manager=cgroupfs', '--runtime=runc', '--events-backend=none'],
        ...['--storage-driver=vfs', ...run(await makeRoot(scratch, 'theirs'))],
      ],
      { timeout: 60_000 },
    );
    const ours = await tsman(...run(await makeRoot(scratch, 'ours')));
    assert.is(ours.exitCode, 0, ours.stderr);
    try {
      check(parse(podman.stdout), parse(ours.stdout));
    } finally {
      await execa(
        'podman',
        ['unshare', 'rm', '-rf', ...places.filter((it) => it.startsWith('/'))],
        {
          reject: false,
          timeout: 60_000,
        },
      );
      rmSync(join(scratch.directory, 'theirs'), { recursive: true, force: true });
    }
  });
}

function covers(seen: Seen): string[] {
  return [...seen.mounts.keys()].filter(
    (place) => /^\/(proc|sys)\//.test(place) && !CGROUPS.test(place),
  );
}

const RESTRICTIONS = ['ro', 'nosuid', 'nodev', 'noexec'];

for (const options of [
  [],
  ['--user=1000:1000'],
  ['--privileged'],
  ['--cap-add=sys_admin', '--cap-drop=chown'],
  ['--cap-drop=all', '--read-only'],
  ['--security-opt=no-new-privileges'],
  ['--security-opt=seccomp=unconfined'],
  ['--security-opt=unmask=ALL', '--ulimit=nofile=100:200'],
  ['--pid=host'],
]) {
  inBoth(
    `has the same powers, limits, mounts and covers with ${options.join(' ') || 'no options'}`,
    () =>
      besidePodman(options, (podman, ours) => {
        assert.ok(podman.status.length >= 9, 'the probe has seen the status');
        assert.equal(ours.status, podman.status);
        assert.equal(ours.limits, podman.limits);

        const theirs = covers(podman);
        assert.equal(
          theirs.filter((place) => !covers(ours).includes(place)),
          [],
          'covered by podman alone',
        );
        const own = covers(ours).filter((place) => !theirs.includes(place));
        assert.equal(
          own.filter((place) => !FURTHER_COVERS.includes(place)),
          [],
          'covered by us alone',
        );

        for (const [place, mount] of podman.mounts) {
          // The root is a directory of another file system with each; devices: see --privileged in the docs.
          if (place === '/' || CGROUPS.test(place) || /^\/dev\/(?!shm|pts|mqueue)/.test(place))
            continue;
          const own = ours.mounts.get(place);
          assert.is(own?.type, mount.type, `${place} is of another kind`);
          const weaker = mount.flags.filter(
            (flag) => RESTRICTIONS.includes(flag) && !own?.flags.includes(flag),
          );
          assert.equal(weaker, [], `${place} lacks what podman has`);
        }
      }),
  );
}

test.run();
