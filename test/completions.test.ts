import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generateDocs } from '../scripts/docs-from-commands/generate.ts';
import { requires } from './support/requires.ts';
import { withScratch } from './support/scratch.ts';
import { tsmanEnv, tsmanPath } from './support/tsman.ts';

const test = suite('completions');

const docs = await generateDocs();
const script = (shell: string): string => docs.get(`completions/tsman.${shell}`) ?? '';

// Asked for live names, `tsman` is answered by a function with a name of each kind.
const NAMES =
  'case $1 in volume) echo v1 ;; network) echo net1 ;; secret) echo s1 ;; *) echo web ;; esac';

/** What bash offers for the last of these words, as readline splits them. */
function completeInBash(...words: string[]): string[] {
  const text = `${script('bash')}
    tsman() { ${NAMES}; }
    COMP_WORDS=(tsman "$@"); COMP_CWORD=$#; _tsman; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-uc', text, 'bash', ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.is(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

function completeInFish(line: string): string[] {
  const directory = mkdtempSync('/var/tmp/t');
  try {
    const file = join(directory, 'tsman.fish');
    writeFileSync(file, script('fish'));
    const names = NAMES.replace('$1 in', '"$1" in');
    const text = `source ${file}; function tsman; sh -c '${names}' sh $argv; end; complete -C '${line}'`;
    const { stdout } = spawnSync('fish', ['--no-config', '-c', text], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    const offers = stdout.split('\n').map((offer) => offer.split('\t')[0] ?? '');
    return offers.filter((word) => word !== '');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The line as zsh's editor leaves it after a tab, in a terminal of its own. */
function completeInZsh(line: string): string {
  const directory = mkdtempSync('/var/tmp/t');
  try {
    writeFileSync(join(directory, '_tsman'), script('zsh'));
    const driver = `zmodload zsh/zpty
      zpty z env TERM=dumb zsh -f -i
      zpty -w z "PS1='> '; unsetopt beep; fpath=($1 \\$fpath); autoload -Uz compinit; compinit -u -D; tsman() { ${NAMES.replaceAll('$', '\\$')}; }; echo ready''now"
      zpty -r z out '*readynow*> *'; sleep 0.5
      zpty -w -n z "$2"$'\\t'; sleep 0.5
      zpty -w z '#end'; zpty -r z out '*#end*'; zpty -d z; print -r -- "$out"`;
    const { stdout } = spawnSync('zsh', ['-fc', driver, 'zsh', directory, line], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    // Blanks that zsh takes back, and its own escapes.
    const shown = stdout.slice(stdout.lastIndexOf('tsman ')).replaceAll(' \b', '');
    return shown.slice(0, shown.indexOf('#end')).trim();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('in bash offer commands, options, choices, usual values and live names', () => {
  assert.ok(completeInBash('').includes('run'));
  assert.equal(completeInBash('--root', '/x', 'imag'), ['image', 'images']);
  assert.equal(completeInBash('image', 'pul'), ['pull']);
  assert.equal(completeInBash('kill', '--si'), ['--signal']);
  assert.equal(completeInBash('run', '--pull', 'ne'), ['never', 'newer']);
  assert.equal(completeInBash('run', '--pull', '=', 'nev'), ['never']);
  assert.equal(completeInBash('kill', '-s', 'HU'), ['HUP']);
  assert.equal(completeInBash('start', ''), ['web']);
  assert.equal(completeInBash('container', 'rm', '--force', 'w'), ['web']);
  assert.equal(completeInBash('run', '--network', 'n'), ['none', 'net1']);
  assert.equal(completeInBash('volume', 'rm', ''), ['v1']);
  assert.equal(completeInBash('secret', 'inspect', ''), ['s1']);
});

requires(test, 'fish')('in fish offer the same', () => {
  assert.ok(completeInFish('tsman ').includes('run'));
  assert.equal(completeInFish('tsman image pul'), ['pull']);
  assert.equal(completeInFish('tsman kill --si'), ['--signal']);
  assert.equal(completeInFish('tsman kill -s HU'), ['HUP']);
  assert.equal(completeInFish('tsman run --network n').sort(), ['net1', 'none']);
  assert.equal(completeInFish('tsman volume rm '), ['v1']);
  assert.equal(completeInFish('tsman secret inspect '), ['s1']);
});

requires(test, 'zsh')('in zsh complete the word on the line', () => {
  assert.is(completeInZsh('tsman image pul'), 'tsman image pull');
  assert.is(completeInZsh('tsman kill --signal HU'), 'tsman kill --signal HUP');
  assert.is(completeInZsh('tsman run --network=ne'), 'tsman run --network=net1');
  assert.is(completeInZsh('tsman volume rm v'), 'tsman volume rm v1');
});

test('take less than 100 ms with the names of real containers', () =>
  withScratch(async (tsman, scratch) => {
    assert.is((await tsman('create', '--name', 'web', 'hello')).exitCode, 0);
    const text = `${script('bash')}
      COMP_WORDS=(tsman start ''); COMP_CWORD=2
      for i in {1..8}; do before=$EPOCHREALTIME; _tsman; after=$EPOCHREALTIME
        echo $(( (\${after/./} - \${before/./}) / 1000 )) "\${COMPREPLY[@]}"; done`;
    const path = `${dirname(tsmanPath())}:${process.env['PATH']}`;
    const env = { ...process.env, ...tsmanEnv(scratch), PATH: path };
    const { stdout } = spawnSync('bash', ['-c', text], { encoding: 'utf8', env, timeout: 60_000 });
    const runs = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    assert.is(runs.length, 8);
    assert.ok(
      runs.every(([, name]) => name === 'web'),
      stdout,
    );
    // The quickest: the machine may do other things.
    assert.ok(Math.min(...runs.map(([ms]) => Number(ms))) < 100, stdout);
  }));

test.run();
