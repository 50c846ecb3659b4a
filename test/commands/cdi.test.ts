import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman run --device vendor.com/class=name');

requires(test, 'userns')('applies variables, nodes and mounts of a made-up vendor', () =>
  withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const config = scratch.makeDirectory('config');
    const library = join(config, 'library');
    writeFileSync(library, 'library\n');
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
        device('all', { hooks: [{ hookName: 'createContainer', path: '/bin/hook' }] }),
      ],
    };
    writeFileSync(join(config, 'cdi/vendor.json'), JSON.stringify(spec));
    const run = tsman.with({ env: { XDG_CONFIG_HOME: config } });
    const args = ['run', '--rm', '--network', 'none', '--device', 'vendor.example/gpu=one'];
    const probe = (...words: string[]) => run(...args, PROBE_IMAGE, '/bin/probe', ...words);
    assert.match((await probe('env')).stdout, /^VENDOR=yes$/m);
    assert.is((await probe('cat', '/library', '/dev/made-up')).stdout, 'library\n');
    const all = await run('create', '--gpus', 'all', PROBE_IMAGE);
    assert.match(all.stderr, /hook \/bin\/hook, and hooks are not run/);
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
