import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseScpEnd, scpCommand } from '../../src/image/scp-end.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanPath } from '../support/tsman.ts';

const test = suite('tsman image scp');
const real = requires(test, 'userns');

/**
 * An `ssh` and a `sudo` that run the command here, with a store of its own for each host or user.
 */
function withOthers(tsman: Tsman, scratch: Scratch): { near: Tsman; on: (place: string) => Tsman } {
  const bin = scratch.makeDirectory('bin');
  const store = (place: string) => ({
    TSMAN_ROOT: join(scratch.directory, place, 'd'),
    TSMAN_RUNROOT: join(scratch.directory, place, 'r'),
  });
  const inStore = (place: string) =>
    Object.entries(store(place))
      .map(([key, value]) => `${key}=${value}`)
      .join(' ');
  const script = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}`);
    chmodSync(join(bin, name), 0o755);
  };
  script('tsman', `exec ${tsmanPath()} "$@"\n`);
  // The last word is the command, the one before the host.
  script(
    'ssh',
    `while [ "$1" != -- ]; do shift; done
[ "$2" != down ] || { echo 'ssh: connect to host down: refused' >&2; exit 255; }
exec env ${inStore('$2')} sh -c "$3"\n`,
  );
  // As sudo does, with another home; the script unsets where our own files are.
  script(
    'sudo',
    `user=$3; shift 6
exec env ${inStore('$user')} sh -c "$(printf %s "$1" | sed 's/ TSMAN_ROOT TSMAN_RUNROOT//')"\n`,
  );
  const env = { PATH: `${bin}:${process.env['PATH']}` };
  return {
    near: tsman.with({ env }),
    on: (place) => tsman.with({ env: { ...env, ...store(place) } }),
  };
}

real('sends an image to another machine and gets it from there', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const { near, on } = withOthers(tsman, scratch);
    const sent = await near('image', 'scp', PROBE_IMAGE, 'me@server:2222::');
    assert.is(sent.exitCode, 0, sent.stderr);
    assert.match(sent.stdout, /^Loaded image: /);
    const there = await on('me@server')('images', '--format', '{{.Digest}}');
    const here = await tsman('images', '--format', '{{.Digest}}');
    assert.is(there.stdout, here.stdout);
    await tsman('rmi', PROBE_IMAGE);
    const fetched = await near('image', 'scp', `me@server::${PROBE_IMAGE}`);
    assert.is(fetched.exitCode, 0, fetched.stderr);
    assert.match(fetched.stdout, /^Loaded image: /);
    assert.is((await tsman('images', '--format', '{{.Digest}}')).stdout, here.stdout);
    const relayed = await near('image', 'scp', `me@server::${PROBE_IMAGE}`, 'third::');
    assert.is(relayed.exitCode, 0, relayed.stderr);
    assert.is((await on('third')('images', '--format', '{{.Digest}}')).stdout, here.stdout);
    for (const place of ['me@server', 'third']) await on(place)('rmi', '--all', '--force');
  }),
);

real('goes to another user by sudo', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const { near, on } = withOthers(tsman, scratch);
    const sent = await near('image', 'scp', PROBE_IMAGE, 'other@localhost::');
    assert.is(sent.exitCode, 0, sent.stderr);
    assert.match((await on('other')('images', '-q')).stdout, /^[0-9a-f]{12}\n$/);
    await on('other')('rmi', '--all', '--force');
  }),
);

real('says which end failed', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const { near } = withOthers(tsman, scratch);
    for (const args of [[PROBE_IMAGE, 'down::'], [`down::${PROBE_IMAGE}`]]) {
      const { exitCode, stderr } = await near('image', 'scp', ...args);
      assert.is(exitCode, 125);
      assert.match(
        stderr,
        /connect to host down: refused\nError: .*ssh \(.*down\): ended with 255/,
      );
    }
    const missing = await near('image', 'scp', 'server::localhost/nothing');
    assert.is(missing.exitCode, 125);
    assert.match(missing.stderr, /localhost\/nothing/);
    const alone = await tsman.with({ env: { PATH: '/nowhere' } })(
      'image',
      'scp',
      PROBE_IMAGE,
      'a::',
    );
    assert.match(alone.stderr, /ssh is not installed/);
    for (const args of [
      ['x'],
      ['x', 'y'],
      ['::x', 'a::'],
      ['-oProxyCommand=x::y'],
      ['a::x', 'b::y'],
    ])
      assert.is((await near('image', 'scp', ...args)).exitCode, 125, args.join(' '));
  }),
);

test('quotes names for the shell at the other end', () => {
  const end = parseScpEnd("h::a'; rm -rf /", 'me');
  assert.equal(end, { kind: 'ssh', host: 'h', port: undefined, image: "a'; rm -rf /" });
  const context = { isRoot: false, hasSudo: true, program: '/usr/bin/tsman' };
  const script = scpCommand(end as Exclude<typeof end, { kind: 'here' }>, 'save', context).at(-1);
  assert.match(script ?? '', "'a'\\''; rm -rf /'");
  assert.equal(parseScpEnd('me@localhost::x', 'me'), { kind: 'here', image: 'x' });
  assert.equal(parseScpEnd('u@[::1]:22::x', 'me'), {
    kind: 'ssh',
    host: 'u@::1',
    port: '22',
    image: 'x',
  });
});

test.run();
