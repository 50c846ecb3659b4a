import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePlainYaml } from '../../src/config/plain-yaml.ts';

const test = suite('plain YAML');

test('is read as programs write it', () => {
  const text = `---
# what nvidia-ctk writes, shortened
cdiVersion: 0.5.0
containerEdits:
  deviceNodes:
  - path: /dev/nvidiactl
    fileMode: 438
  env:
    - NVIDIA_VISIBLE_DEVICES=void # said by the specification
    - 'quoted: it''s'
  hooks:
  - args:
    - nvidia-cdi-hook
    - "--link\\t"
    hookName: createContainer
devices:
- containerEdits: {}
  name: "0"
-
  name: all
  containerEdits:
    mounts: []
    optional: ~
kind: nvidia.com/gpu
`;
  assert.equal(parsePlainYaml(text), {
    cdiVersion: '0.5.0',
    containerEdits: {
      deviceNodes: [{ path: '/dev/nvidiactl', fileMode: 438 }],
      env: ['NVIDIA_VISIBLE_DEVICES=void', "quoted: it's"],
      hooks: [{ args: ['nvidia-cdi-hook', '--link\t'], hookName: 'createContainer' }],
    },
    devices: [
      { containerEdits: {}, name: '0' },
      { name: 'all', containerEdits: { mounts: [], optional: null } },
    ],
    kind: 'nvidia.com/gpu',
  });
});

test('what is beyond it is refused with its line', () => {
  for (const [text, line] of [
    ['a: &anchor x', 1],
    ['a: 1\nb: *anchor', 2],
    ['a: !!int 3', 1],
    ['a: {b: c}', 1],
    ['a: [1, 2]', 1],
    ['a: |\n  text', 1],
    ['a: 1\n  b: 2', 2],
    ['a: b: c', 1],
    ['a: 1\na: 2', 2],
    ['a: "unclosed', 1],
    ['a:\n\tb: 1', 2],
    ['a: 1\n---\nb: 2', 2],
    ['__proto__: 1', 1],
  ] as const)
    assert.throws(() => parsePlainYaml(text), new RegExp(`line ${line}:`), text);
});

test.run();
