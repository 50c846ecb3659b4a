import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman run --device vendor.com/class=name');

/** Finds the root as hooks do: by the state on its input and the bundle's configuration. */
const HOOK = `#!/bin/sh
PATH=/usr/bin:/bin
state=$(cat)
bundle=$(echo "$state" | sed 's/.*"bundle":"\\([^"]*\\)".*/\\1/')
status=$(echo "$state" | sed 's/.*"status":"\\([^"]*\\)".*/\\1/')
root=$(sed 's/.*"root":{"path":"\\([^"]*\\)".*/\\1/' "$bundle/config.json")
[ -e "$root/proc/self" ] && proc=proc
echo "$1 $A $status $proc" > "$root/made"
`;

requires(test, 'userns')('applies variables, nodes and mounts of a made-up vendor', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const config = scratch.makeDirectory('config');
    const library = join(config, 'library');
    writeFileSync(library, 'library\n');
    const hook = join(config, 'hook');
    writeFileSync(hook, HOOK, { mode: 0o755 });
    mkdirSync(join(config, 'cdi'));
    const device = (name: string, containerEdits: object): object => ({ name, containerEdits });
    const spec = {
      cdiVersion: '0.6.0',
      kind: 'vendor.example/gpu',
      containerEdits: { env: ['VENDOR=yes'] },
      devices: [
        device('one', {
          deviceNodes: [{ path: '/dev/made-up', hostPath: '/dev/null' }],
          mounts: [{ hostPath: library, containerPath: '/library', options: ['ro', 'rbind'] }],
        }),
        device('all', {
          hooks: [
            { hookName: 'createContainer', path: hook, args: ['hook', 'word'], env: ['A=b'] },
          ],
        }),
        device('failing', { hooks: [{ hookName: 'createContainer', path: '/bin/false' }] }),
        device('other', { hooks: [{ hookName: 'poststart', path: '/bin/true' }] }),
      ],
    };
    writeFileSync(join(config, 'cdi/vendor.json'), JSON.stringify(spec));
    const run = tsman.with({ env: { XDG_CONFIG_HOME: config } });
    const args = ['run', '--rm', '--network', 'none', '--device', 'vendor.example/gpu=one'];
    const probe = (...words: string[]) => run(...args, PROBE_IMAGE, '/bin/probe', ...words);
    assert.match((await probe('env')).stdout, /^VENDOR=yes$/m);
    assert.is((await probe('cat', '/library', '/dev/made-up')).stdout, 'library\n');
    const hooked = ['run', '--rm', '--network', 'none', '--gpus', 'all', PROBE_IMAGE];
    const made = await run(...hooked, '/bin/probe', 'cat', '/made');
    // By the root that the bundle's configuration names, with all that is mounted in it.
    assert.is(made.stdout, 'word b creating proc\n', made.stderr);
    const wanted = ['--device', 'vendor.example/gpu=failing', PROBE_IMAGE];
    assert.is((await run('create', '--name', 'f', '--network', 'none', ...wanted)).exitCode, 0);
    const start = await run('start', 'f');
    assert.is(start.exitCode, 125);
    assert.match(start.stderr, /hook \/bin\/false: exit status 1/);
    const later = await run('create', '--device', 'vendor.example/gpu=other', PROBE_IMAGE);
    assert.match(later.stderr, /\/bin\/true as poststart hook, and only createContainer/);
    // YAML, as vendors' tools write it; another file is damaged, and matters only to what is not found.
    writeFileSync(
      join(config, 'cdi/other.yaml'),
      `kind: vendor.example/net
devices:
- name: "0"
  containerEdits:
    env:
    - FROM_YAML=yes
- name: rdt
  containerEdits:
    intelRdt: {}
`,
    );
    writeFileSync(join(config, 'cdi/damaged.yaml'), 'kind: [');
    const net = ['--device', 'vendor.example/net=0', PROBE_IMAGE, '/bin/probe', 'env'];
    const yaml = await run('run', '--rm', '--network', 'none', ...net);
    assert.match(yaml.stdout, /^FROM_YAML=yes$/m, yaml.stderr);
    const rdt = await run('create', '--device', 'vendor.example/net=rdt', PROBE_IMAGE);
    assert.match(rdt.stderr, /wants intelRdt, which cannot be had/);
    const missing = await run('create', '--device', 'vendor.example/net=1', PROBE_IMAGE);
    assert.match(missing.stderr, /damaged.yaml: .* at line 1/);
    unlinkSync(join(config, 'cdi/damaged.yaml'));
    const other = await run('create', '--device', 'vendor.example/gpu=two', PROBE_IMAGE);
    assert.match(other.stderr, /no CDI device vendor.example\/gpu=two/);
  }),
);

const NET = ['run', '--rm', '--network', 'none'];

requires(test, 'userns')('finds files where it is told, and says what they cannot have', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const first = scratch.makeDirectory('first');
    const second = scratch.makeDirectory('second');
    const device = (name: string, containerEdits: object): object => ({ name, containerEdits });
    const spec = (directory: string, name: string, devices: object[]): void =>
      writeFileSync(
        join(directory, name),
        JSON.stringify({
          kind: 'vendor.example/disk',
          containerEdits: {
            mounts: [{ hostPath: first, containerPath: '/common', options: ['ro', 'rbind'] }],
          },
          devices,
        }),
      );
    const mount = (more: object): object => ({
      mounts: [{ hostPath: first, containerPath: '/a', ...more }],
    });
    spec(first, 'a.json', [
      device('1', { env: ['WHERE=first', 'ONE=1'] }),
      device('2', { env: ['TWO=2'] }),
      device('memory', mount({ type: 'tmpfs' })),
      device('odd', mount({ options: ['ro', 'sparkling'] })),
    ]);
    spec(second, 'b.json', [device('1', { env: ['WHERE=second'] })]);
    const words = ['--device', 'vendor.example/disk=1', PROBE_IMAGE, '/bin/probe', 'env'];
    // What the file says for all its devices counts once: a mount, or the second would be refused.
    const both = await tsman(
      '--cdi-spec-dir',
      first,
      ...NET,
      '--device',
      'vendor.example/disk=2',
      ...words,
    );
    assert.match(both.stdout, /^ONE=1$/m, both.stderr);
    assert.match(both.stdout, /^TWO=2$/m);
    // The later directory is the more important one.
    const later = await tsman('--cdi-spec-dir', first, '--cdi-spec-dir', second, ...NET, ...words);
    assert.match(later.stdout, /^WHERE=second$/m, later.stderr);
    const file = join(scratch.directory, 'containers.conf');
    writeFileSync(file, `[engine]\ncdi_spec_dirs = ["${first}"]\n`);
    const configured = tsman.with({ env: { CONTAINERS_CONF: file } });
    assert.match((await configured(...NET, ...words)).stdout, /^WHERE=first$/m);
    const refusal = async (name: string): Promise<string> => {
      const wanted = ['--device', `vendor.example/disk=${name}`, PROBE_IMAGE];
      const { exitCode, stderr } = await tsman('--cdi-spec-dir', first, 'create', ...wanted);
      assert.is(exitCode, 125, stderr);
      return stderr;
    };
    assert.match(await refusal('memory'), /type tmpfs cannot be had/);
    assert.match(await refusal('odd'), /unknown mount option "sparkling"/);
    assert.match(await refusal('not a name'), /want VENDOR\/CLASS=NAME/);
    spec(first, 'c.json', [device('1', {})]);
    assert.match(await refusal('1'), /is in .*a\.json and once more in .*c\.json/);
    const info = await tsman(
      '--cdi-spec-dir',
      second,
      'info',
      '--format',
      '{{json .Host.DiscoveredDevices}}',
    );
    assert.is(info.stdout, '[{"source":"cdi","id":"vendor.example/disk=1"}]\n');
  }),
);

test.run();
