import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseYaml } from '../../src/config/yaml.ts';

const test = suite('YAML');

test('is read as people and programs write it', async () => {
  const text = `---
# what nvidia-ctk writes, shortened
cdiVersion: 0.5.0
containerEdits: &common
  deviceNodes:
  - path: /dev/nvidiactl
  env: [A=1, 'quoted: it''s']
  hooks:
  - args: ["--link\\t"]
devices:
- containerEdits: {}
  name: "0"
- name: all
  containerEdits: *common
text: >
  in two
  lines
`;
  const common = {
    deviceNodes: [{ path: '/dev/nvidiactl' }],
    env: ['A=1', "quoted: it's"],
    hooks: [{ args: ['--link\t'] }],
  };
  assert.equal(await parseYaml(text), {
    cdiVersion: '0.5.0',
    containerEdits: common,
    devices: [
      { containerEdits: {}, name: '0' },
      { name: 'all', containerEdits: common },
    ],
    text: 'in two lines\n',
  });
  assert.is(await parseYaml('# nothing\n'), null);
});

test('that is damaged or means different things to different readers is refused with its line', async () => {
  for (const [text, line] of [
    ['a: !unknown 3', 1],
    ['a: !!js/function x', 1],
    ['a: 1\n  b: 2', 1],
    ['a: 1\na: 2', 2],
    ['a: "unclosed', 1],
    ['a:\n\tb: 1', 2],
    ['a: 1\n---\nb: 2', 2],
    ['a: [', 1],
  ] as const)
    assert.match(await messageOf(text), new RegExp(`at line ${line}, column \\d+$`), text);
  assert.match(await messageOf('a: *nowhere'), /Unresolved alias .*nowhere/);
});

test('that grows without bounds is refused', async () => {
  const levels = ['a', 'b', 'c', 'd'].map((name, i, names) => {
    const item = i === 0 ? 'x' : `*${names[i - 1]}`;
    return `${name}: &${name} [${Array.from({ length: 9 }, () => item).join(', ')}]`;
  });
  assert.match(await messageOf(levels.join('\n')), /Excessive alias count/);
});

test('cannot reach what all objects share', async () => {
  const document = (await parseYaml('__proto__: {polluted: true}')) as object;
  assert.is(Reflect.getPrototypeOf(document), Object.prototype);
  assert.not.ok('polluted' in {});
});

async function messageOf(text: string): Promise<string> {
  try {
    await parseYaml(text);
  } catch (error) {
    return (error as Error).message;
  }
  return `${text} was read`;
}

test.run();
