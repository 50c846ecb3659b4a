import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('what commands load at their start');

/** Modules of Node's that take from a quarter of a millisecond to four to load (src/base/late-modules.ts). */
const COSTLY =
  /^node:(assert|child_process|crypto|dns|events|fs\/promises|http|https|net|os|readline|stream|timers|tls|tty|url|util|zlib)(\/|$)/;
/** Those that people and scripts start often. */
const FREQUENT = [
  'run',
  'exec',
  'ps',
  'inspect',
  'start',
  'stop',
  'kill',
  'rm',
  'image/list',
  'wait',
];

/** What a file imports when it is loaded; types are nothing at run time. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8').replace(/^(?:import|export) type [^;]*;/gm, '');
  const found = source.matchAll(/^(?:import|export)\s+(?:([^;'"]*?)\s+from\s+)?'([^']+)'/gm);
  return [...found]
    .filter(([, names = '']) => names === '' || !isOnlyTypes(names))
    .map(([, , path = '']) => (path.startsWith('.') ? normalize(join(dirname(file), path)) : path));
}

function isOnlyTypes(names: string): boolean {
  const list = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
  const each = list?.split(',').filter((name) => name.trim() !== '');
  return each?.every((name) => name.trim().startsWith('type ')) ?? false;
}

/** Which costly modules a file leads to, and who imports them. */
function costlyImports(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return importsOf(file).flatMap((target) =>
    target.startsWith('node:')
      ? COSTLY.test(target)
        ? [`${file} imports ${target}`]
        : []
      : target.startsWith('src/')
        ? costlyImports(target, seen)
        : [],
  );
}

for (const command of FREQUENT)
  test(`${command}: none of the modules that take milliseconds`, () => {
    assert.equal(costlyImports('src/main.ts'), []);
    assert.equal(costlyImports(`src/commands/${command}.ts`), []);
  });

test('imports are found at all', () => {
  assert.ok(importsOf('src/commands/run.ts').includes('src/commands/request/create-container.ts'));
  assert.ok(costlyImports('src/commands/export.ts').length > 0);
});

test.run();
