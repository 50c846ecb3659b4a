// run: root
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cgroupWrites, controllersOf, cpuWeight } from '../../src/container/cgroup/resources.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';

const test = suite('limits');

test('Docker’s numbers become what cgroup v2 counts', () => {
  const lines = (resources: Parameters<typeof cgroupWrites>[0]): string[] =>
    cgroupWrites(resources).map(({ file, value }) => `${file} ${value}`);
  const mega = 1024 * 1024;

  assert.equal(lines({ memoryBytes: 64 * mega }), [
    'memory.max 67108864',
    'memory.swap.max 67108864',
  ]);
  assert.equal(lines({ memoryBytes: 64 * mega, memorySwapBytes: 96 * mega }), [
    'memory.max 67108864',
    'memory.swap.max 33554432',
  ]);
  assert.equal(lines({ memoryBytes: 64 * mega, memorySwapBytes: -1 }), [
    'memory.max 67108864',
    'memory.swap.max max',
  ]);
  assert.equal(lines({ nanoCpus: 1.5e9 }), ['cpu.max 150000 100000']);
  assert.equal(lines({ cpuQuotaMicros: -1, cpuPeriodMicros: 50_000 }), ['cpu.max max 50000']);
  assert.equal(lines({ pidsLimit: -1 }), ['pids.max max']);
  assert.equal(lines({ blkioWeight: 1000 }), ['io.weight default 10000']);
  assert.equal(
    lines({
      readBps: [{ path: '/dev/sda', device: '8:0', value: mega }],
      writeIops: [{ path: '/dev/sda', device: '8:0', value: 100 }],
    }),
    ['io.max 8:0 rbps=1048576', 'io.max 8:0 wiops=100'],
  );
});

test('the usual shares are the usual weight, and the ends meet', () => {
  assert.equal([2, 1024, 262_144].map(cpuWeight), [1, 100, 10_000]);
});

test('a file names its controller; those of the cgroup itself need none', () => {
  const writes = cgroupWrites({
    memoryBytes: 1,
    conf: { 'memory.high': '5', 'cgroup.max.depth': '1' },
  });
  assert.equal(controllersOf(writes), ['memory']);
});

const inBox = requires(test, 'userns');

for (const [args, complaint] of [
  [['--memory-swap', '10m'], /give --memory as well/],
  [['--memory', '20m', '--memory-swap', '10m'], /less than --memory/],
  [['--cpus', '1', '--cpu-quota', '5000'], /--cpus excludes/],
  [['--cpus', 'two'], /"two" is not a number of processors/],
  [['--cpuset-cpus', '0-'], /not a list such as/],
  [['--pids-limit', 'x'], /not a whole number/],
  [['--device-read-bps', '/dev/null:1m'], /\/dev\/null is not a disk/],
  [['--cgroup-conf', '../x=1'], /not a file such as memory.high/],
  [['--cgroups', 'disabled', '--memory', '20m'], /no limits without a cgroup/],
  [['--cgroup-parent', 'a/../../b'], /".." is not allowed/],
  [['--cgroups', 'maybe'], /"maybe" is not enabled/],
] as const) {
  inBox(`${args.join(' ')} is refused`, () =>
    withScratch(async (tsman) => {
      const { exitCode, stderr } = await tsman('create', ...args, 'x');
      assert.is(exitCode, 125);
      assert.match(stderr, complaint);
    }),
  );
}

inBox('inspect tells the limits', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const limits = ['-m', '64m', '--cpus', '0.5', '-c', '512', '--pids-limit', '20'];
    await tsman(
      'create',
      '--name',
      'c',
      ...limits,
      '--cpuset-cpus',
      '0',
      PROBE_IMAGE,
      '/bin/probe',
    );
    const template =
      '{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.NanoCpus}} {{.CpuShares}} {{.PidsLimit}} {{.CpusetCpus}}{{end}}';
    const inspect = async (): Promise<string> =>
      (await tsman('inspect', '--format', template, 'c')).stdout.trim();
    assert.is(await inspect(), '67108864 134217728 500000000 512 20 0');

    const { exitCode, stderr } = await tsman('update', '--cpus', '2', '-m', '128m', 'c');
    assert.is(exitCode, 0, stderr);
    assert.is(await inspect(), '134217728 268435456 2000000000 512 20 0');
  }),
);

/**
 * Runs a script as root in a mount namespace with a clean cgroup v2 tree, in a cgroup whose parent
 * would be delegated. Which controllers are there depends on the machine.
 */
async function inCgroup(scratch: Scratch, script: string): Promise<string> {
  const setUp = `
    set -e
    mount --make-rprivate /
    umount -l /sys/fs/cgroup
    mount -t cgroup2 -o nsdelegate none /sys/fs/cgroup
    top=/sys/fs/cgroup/test-$$
    mkdir -p $top/shell
    echo $$ > $top/shell/cgroup.procs
    tidy() {
      "$TSMAN" rm -fa >/dev/null
      echo $$ > /sys/fs/cgroup/cgroup.procs
      find $top -depth -type d -exec rmdir {} +
    }
    trap tidy EXIT
    set +e
    ${script}`;
  const { stdout, stderr } = await execa('unshare', ['--mount', 'sh', '-c', setUp], {
    env: { ...tsmanEnv(scratch), TSMAN: tsmanPath() },
    reject: false,
    timeout: 60_000,
  });
  return `${stdout}\n${stderr}`;
}

const RUN = `"$TSMAN" run -d --network none --name c`;
const asRoot = requires(test, 'root');

async function withProbe(body: (tsman: Tsman, scratch: Scratch) => Promise<void>): Promise<void> {
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await body(tsman, scratch);
  });
}

asRoot('files of the cgroup are written before the start, and nothing is left after the end', () =>
  withProbe(async (_tsman, scratch) => {
    const output = await inCgroup(
      scratch,
      `${RUN} --cgroup-conf cgroup.max.depth=3 ${PROBE_IMAGE} /bin/probe sleep 60 >/dev/null
       echo "depth $(cat $top/tsman-*/cgroup.max.depth)"
       "$TSMAN" rm -f c >/dev/null
       echo "left $(find $top -name 'tsman-*' | wc -l)"
       ${RUN} ${PROBE_IMAGE} /nonexistent 2>/dev/null
       echo "left $(find $top -name 'tsman-*' | wc -l)"`,
    );
    assert.match(output, /^depth 3\nleft 0\nleft 0$/m);
  }),
);

asRoot('a controller that is not delegated is named, with what to do; --rm leaves nothing', () =>
  withProbe(async (_tsman, scratch) => {
    const output = await inCgroup(
      scratch,
      `"$TSMAN" run --rm --network none --cgroup-conf nosuch.max=1 ${PROBE_IMAGE} /bin/probe
       echo "code $?"
       echo "left $("$TSMAN" ps -aq | wc -l)"`,
    );
    assert.match(output, /code 125\nleft 0/);
    assert.match(output, /cgroup controller nosuch not delegated to you/);
    assert.match(output, /systemctl edit user@\.service.*Delegate=cpu cpuset io memory pids/);
  }),
);

asRoot('split puts the monitor and the container side by side', () =>
  withProbe(async (_tsman, scratch) => {
    const output = await inCgroup(
      scratch,
      `${RUN} --cgroups split ${PROBE_IMAGE} /bin/probe sleep 60 >/dev/null
       for field in ConmonPid Pid; do
         pid=$("$TSMAN" inspect c --format "{{.State.$field}}")
         grep ^0:: /proc/$pid/cgroup
       done`,
    );
    assert.match(output, /\/shell\/supervisor\n.*\/shell\/tsman-[0-9a-f]{64}$/m);
  }),
);

asRoot('paused: shown, no exec, and stop lets it go on first', () =>
  withProbe(async (_tsman, scratch) => {
    const output = await inCgroup(
      scratch,
      `show() { "$TSMAN" ps -a --format '{{.State}} {{.Status}}'; }
       ${RUN} ${PROBE_IMAGE} /bin/probe signal >/dev/null
       "$TSMAN" pause c >/dev/null; show
       "$TSMAN" exec c /bin/probe id; echo "code $?"
       "$TSMAN" unpause c >/dev/null; show
       "$TSMAN" exec c /bin/probe cat /proc/self/cgroup | grep ^0::
       "$TSMAN" pause c >/dev/null
       "$TSMAN" rm -f c; show`,
    );
    assert.match(output, /^paused Up .* \(Paused\)\ncode 125\nrunning Up .*\n0::\/\nc$/m);
    assert.match(output, /container c is paused\nhint: .*tsman unpause c/);
  }),
);

asRoot('the health of a paused container is left as it was', () =>
  withProbe(async (_tsman, scratch) => {
    const output = await inCgroup(
      scratch,
      `health() { "$TSMAN" inspect c --format '{{.State.Health.Status}} {{len .State.Health.Log}}'; }
       ${RUN} --health-cmd '["/bin/probe","exit","0"]' --health-interval 1s --health-timeout 1s \
         --health-retries 1 ${PROBE_IMAGE} /bin/probe sleep 60 >/dev/null
       "$TSMAN" wait --condition healthy c >/dev/null
       "$TSMAN" pause c >/dev/null
       health; sleep 3; health`,
    );
    assert.match(output, /^(healthy \d)\n\1$/m);
  }),
);

test.run();
