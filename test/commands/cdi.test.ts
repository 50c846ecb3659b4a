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
    assert.match(missing.stderr, /damaged.yaml: line 1/);
    unlinkSync(join(config, 'cdi/damaged.yaml'));
    const other = await run('create', '--device', 'vendor.example/gpu=two', PROBE_IMAGE);
    assert.match(other.stderr, /no CDI device vendor.example\/gpu=two/);
  }),
);

test.run();
