import { globSync, readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePlainToml } from '../../src/config/plain-toml.ts';

const test = suite('plain TOML');

const PLAIN = `# a comment
[containers] # another
env = ["A=1", 'B=#2', # not the last
  "C",
  # a comment with "quotes"
]
empty = []
init = true
pids_limit = 2048
tz = ""
tag = 'it \\ is'

[engine]
  retry=3
[network.sub-table]
x = "y"
__proto__ = "z"`;

test('is read as the real parser reads it', () => {
  for (const text of [
    PLAIN,
    '',
    '\n\n',
    '# only',
    '[a]\r\nb = 1\r\n',
    PLAIN.replaceAll('\n', '\r\n'),
  ])
    assert.equal(parsePlainToml(text), parse(text), JSON.stringify(text));
});

test('of this machine is read as the real parser reads it', () => {
  const files = globSync('/{etc,usr/share}/containers/**/*.conf').map((path) =>
    readFileSync(path, 'utf8'),
  );
  for (const text of files) {
    const plain = parsePlainToml(text);
    if (plain !== undefined) assert.equal(plain, parse(text));
  }
});

test('is left to the real parser where it goes beyond, or is wrong', () => {
  const others = [
    'a = "\\n"',
    'a = """b"""',
    "a = '''b'''",
    'a.b = 1',
    '"a" = 1',
    'a = 1.5',
    'a = -1',
    'a = 007',
    'a = {b = 1}',
    'a = [1]',
    'a = [["b"]]',
    'a = ["b", {append=true}]',
    '[[a]]',
    '[a]\nb = 1\n[a]',
    'a = 1\na = 2',
    'a = 1 b = 2',
    '[a.b]\n[a]',
    'a = "b',
    'a = ["b" "c"]',
    '= 1',
    'a',
  ];
  for (const text of others) assert.is(parsePlainToml(text), undefined, text);
});

test('says the same as the real parser about whatever is cut off or changed', () => {
  for (let at = 0; at < PLAIN.length; at++) {
    for (const text of [PLAIN.slice(0, at), PLAIN.slice(0, at) + PLAIN.slice(at + 1)]) {
      const plain = parsePlainToml(text);
      if (plain !== undefined) assert.equal(plain, parse(text), text);
    }
  }
});

test.run();
