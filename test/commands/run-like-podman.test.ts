import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman run, held beside podman run');
const inBox = requires(test, 'userns');

const RUN = ['run', '--rm', '--network=none'];

function withProbe(body: (tsman: Tsman) => Promise<void>): () => Promise<void> {
  return () =>
    withScratch(async (tsman) => {
      await loadProbe(tsman);
      await body(tsman);
    });
}

async function expectRuns(
  tsman: Tsman,
  rows: readonly (readonly [string[], number, RegExp])[],
): Promise<void> {
  for (const [args, code, pattern] of rows) {
    const { exitCode, stdout, stderr } = await tsman(...RUN, ...args);
    assert.is(exitCode, code, `${args.join(' ')}: ${stderr}`);
    assert.match(stdout + stderr, pattern, args.join(' '));
  }
}

inBox(
  'exit codes: an unknown user, a time limit',
  withProbe((tsman) =>
    expectRuns(tsman, [
      [['-u', 'nobody-here', PROBE_IMAGE], 126, /user nobody-here: not in \/etc\/passwd/],
      [['-u', ':no-group', PROBE_IMAGE], 126, /group no-group: not in \/etc\/group/],
      [['-u', '4000000000', PROBE_IMAGE], 126, /hint: the user namespace has no such id/],
      [['--timeout', '1', PROBE_IMAGE, 'probe', 'sleep'], 255, /^$/],
    ]),
  ),
);

inBox(
  '--pull takes its policy from the next word too; never does not settle for another platform',
  withProbe((tsman) =>
    expectRuns(tsman, [
      [['--pull', 'never', PROBE_IMAGE, 'probe', 'echo', 'x'], 0, /^x\n$/],
      [['--pull', 'never', 'localhost/none', 'probe'], 125, /none/],
      [['--pull', 'never', '--platform', 'linux/s390x', PROBE_IMAGE], 125, /another platform/],
      [['--pull=never', '--os=linux', PROBE_IMAGE, 'probe', 'echo', 'x'], 0, /^x\n$/],
    ]),
  ),
);

inBox(
  'the host’s ipc, uts and cgroup namespaces; maps without the group of terminals',
  withProbe((tsman) =>
    expectRuns(tsman, [
      [['--ipc', 'host', PROBE_IMAGE, 'probe', 'echo', 'x'], 0, /^x\n$/],
      [['--cgroupns', 'host', PROBE_IMAGE, 'probe', 'echo', 'x'], 0, /^x\n$/],
      [['--uidmap', '0:0:1', PROBE_IMAGE, 'probe', 'echo', 'x'], 0, /^x\n$/],
      [['--uts', 'host', '--hostname', 'x', PROBE_IMAGE], 125, /exclude each other/],
    ]),
  ),
);

inBox(
  '-it says when standard input is no terminal; -t alone does not',
  withProbe((tsman) =>
    expectRuns(tsman, [
      [['-it', PROBE_IMAGE, 'probe', 'exit', '3'], 3, /^warning: The input device is not a TTY\./],
      [['-t', PROBE_IMAGE, 'probe', 'exit', '3'], 3, /^$/],
    ]),
  ),
);

inBox(
  '--tz gives the host’s file of the zone',
  withProbe(async (tsman) => {
    if (!existsSync('/usr/share/zoneinfo/Asia/Tokyo')) return;
    await expectRuns(tsman, [
      [['--tz', 'Asia/Tokyo', PROBE_IMAGE, 'probe', 'cat', '/etc/localtime'], 0, /JST-9\n$/],
      [['--tz', 'Asia', PROBE_IMAGE], 125, /no time zone "Asia"/],
      [['--tz', '../../../etc/passwd', PROBE_IMAGE], 125, /no time zone/],
    ]);
  }),
);

const CHANGES = [
  'ENTRYPOINT ["probe"]',
  'CMD ["args", "one"]',
  'ENV GREETING=hello',
  'USER alice:staff',
  'WORKDIR /home/alice',
  'VOLUME /data',
  'STOPSIGNAL SIGUSR1',
  'EXPOSE 80/tcp',
  'LABEL team=red',
];

inBox(
  'every setting of an image’s config is honoured (health checks: health.test.ts)',
  withProbe(async (tsman) => {
    const image = 'localhost/configured';
    await tsman('create', '--network=none', '--name=base', PROBE_IMAGE);
    const changes = CHANGES.flatMap((change) => ['--change', change]);
    const made = await tsman('commit', '-q', '--format=docker', ...changes, 'base', image);
    assert.is(made.exitCode, 0, made.stderr);

    await expectRuns(tsman, [
      [[image], 0, /^\[one\]$/m],
      [[image, 'env'], 0, /^GREETING=hello$/m],
      [[image, 'where'], 0, /\/home\/alice/],
      [[image, 'id'], 0, /1000[^\n]*50/],
      [[image, 'mounts'], 0, / \/data /],
    ]);
    await tsman('create', '--network=none', '--name=c', image);
    const format = [
      ['.Config.StopSignal', '10'],
      ['json .Config.ExposedPorts', '{"80/tcp":{}}'],
      ['index .Config.Labels "team"', 'red'],
    ] as const;
    for (const [field, value] of format) {
      const { stdout } = await tsman('inspect', '--format', `{{${field}}}`, 'c');
      assert.is(stdout, `${value}\n`, field);
    }
  }),
);

test.run();
