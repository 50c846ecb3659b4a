import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman logs');
const inBox = requires(test, 'userns');
const withJournal = requires(test, 'userns', 'journal');

/** Runs a container that says its words, one a line, and ends. */
async function says(
  tsman: Tsman,
  name: string,
  words: readonly string[],
  ...options: string[]
): Promise<string> {
  const run = ['run', '--network=none', `--name=${name}`, ...options, PROBE_IMAGE, '/bin/probe'];
  const { exitCode, stderr } = await tsman(...run, 'args', ...words);
  assert.is(exitCode, 0, stderr);
  return (await tsman('inspect', '-f', '{{.Id}}', name)).stdout.trim();
}

inBox('of several containers, with names and colours', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await says(tsman, 'web', ['one', 'two']);
    await says(tsman, 'db', ['three']);

    const named = await tsman('logs', '--names', 'web', 'db');
    assert.equal(named.stdout.trimEnd().split('\n').sort(), [
      'db [three]',
      'web [one]',
      'web [two]',
    ]);
    const colored = await tsman('logs', '--color', '-n', 'web', 'db');
    assert.ok(colored.stdout.includes('\u001b[32mweb [one]\u001b[0m\n'), colored.stdout);
    assert.ok(colored.stdout.includes('\u001b[33mdb [three]\u001b[0m\n'), colored.stdout);
    assert.is((await tsman('logs', '--tail=1', 'web')).stdout, '[two]\n');
    assert.is((await tsman('logs', '-l')).stdout, '[three]\n');
    assert.is((await tsman('logs', 'web', 'nobody')).exitCode, 125);
  }),
);

inBox('--log-opt tag, labels and env of a json-file are shown by --details', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const id = await says(
      tsman,
      'web',
      ['hi'],
      ...['--log-driver=json-file', '--log-opt=tag={{.Name}}/{{.ID}}/{{.Config.User}}'],
      ...['--log-opt=labels=role,absent', '--log-opt=env-regex=^PO', '--user=7'],
      ...['--label=role=front', '--label=secret=x', '--env=PORT=80', '--env=TOKEN=x'],
    );

    const { stdout } = await tsman('logs', '--details', 'web');
    assert.is(stdout, `tag=web/${id.slice(0, 12)}/7,role=front,PORT=80 [hi]\n`);
    assert.is((await tsman('logs', 'web')).stdout, '[hi]\n');
    const broken = await tsman(
      'run',
      '--rm',
      '--log-driver=json-file',
      '--log-opt=tag={{.Name',
      PROBE_IMAGE,
    );
    assert.is(broken.exitCode, 125);
    assert.match(broken.stderr, /--log-opt tag/);
    assert.is((await tsman('ps', '-aq')).stdout.trim().split('\n').length, 1);
  }),
);

inBox('what a log driver has no place for is refused', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    for (const [options, pattern] of [
      [['--log-opt=tag=x'], /k8s-file has no such thing\nhint: .*json-file or journald/],
      [['--log-driver=none', '--log-opt=path=/tmp/x'], /driver none has no such thing/],
      [['--log-driver=json-file', '--log-opt=label=A=b'], /works with --log-driver journald/],
      [['--log-driver=json-file', '--log-opt=labels-regex=('], /no regular expression/],
      [['--log-opt=colour=red'], /unknown "colour"/],
      [['--log-driver=syslog'], /no driver "syslog"/],
    ] as const) {
      const { exitCode, stderr } = await tsman('create', ...options, PROBE_IMAGE, '/bin/probe');
      assert.is(exitCode, 125, options.join(' '));
      assert.match(stderr, pattern);
    }
  }),
);

withJournal('reads back what journald was given', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const options = ['--log-driver=journald', '--log-opt=tag=T{{.Name}}', '--log-opt=label=ROLE=x'];
    const id = await says(tsman, 'web', ['one', 'two'], ...options);

    const followed = await tsman('logs', '-f', 'web');
    assert.is(followed.stdout, '[one]\n[two]\n');
    assert.is((await tsman('logs', '--tail=1', 'web')).stdout, '[two]\n');
    assert.match((await tsman('logs', '-t', 'web')).stdout, /^\d{4}-\d\d-\d\dT[\d:.]+Z \[one\]$/m);
    assert.is((await tsman('logs', '--since=1h', '--until=-30m', 'web')).stdout, '');
    assert.is(
      (await tsman('inspect', '-f', '{{.HostConfig.LogConfig.Type}}', id)).stdout,
      'journald\n',
    );
  }),
);

test.run();
