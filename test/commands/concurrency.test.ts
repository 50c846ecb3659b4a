import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withScratch } from '../support/scratch.ts';
import type { CommandResult } from '../support/tsman.ts';

const test = suite('many commands at once');

const PROBE = [PROBE_IMAGE, '/bin/probe'] as const;

function failures(results: readonly CommandResult[]): string[] {
  return results.filter(({ exitCode }) => exitCode !== 0).map(({ stderr }) => stderr);
}

function times<T>(count: number, work: (number: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => work(number)));
}

test('20 run --rm end with their own output and leave nothing', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);

    const results = await times(20, (number) =>
      tsman('run', '--rm', '--network', 'none', ...PROBE, 'args', `number ${number}`),
    );

    assert.equal(failures(results), []);
    assert.equal(
      results.map(({ stdout }) => stdout),
      results.map((_, number) => `[number ${number}]\n`),
    );
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }));

test('of 10 that want one name, one gets it and the others say who has it', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);

    const results = await times(10, () =>
      tsman('run', '-d', '--network', 'none', '--name', 'only', ...PROBE, 'sleep'),
    );

    const failed = failures(results);
    assert.is(failed.length, 9);
    for (const stderr of failed) assert.match(stderr, /^Error: name "only" is in use by container/);
    assert.is((await tsman('ps', '-q')).stdout.trim().split('\n').length, 1);
  }));

test('start and rm -f of one container, again and again, end in one of the two', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    for (let round = 0; round < 6; round++) {
      await tsman('create', '--network', 'none', '--name', 'raced', ...PROBE, 'sleep');

      const [start, remove] = await Promise.all([
        tsman('start', 'raced'),
        tsman('rm', '-f', 'raced'),
      ]);

      assert.is(remove.exitCode, 0, remove.stderr);
      assert.ok([0, 125].includes(start.exitCode), start.stderr);
      assert.not.match(start.stderr, /SQLITE|database is locked|ENOENT.*config/);
      assert.is((await tsman('ps', '-aq')).stdout, '', 'a removed container is listed');
    }
  }));

test('several starts of one container make one', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('create', '--network', 'none', '--name', 'one', ...PROBE, 'sleep');

    const results = await times(6, () => tsman('start', 'one'));

    assert.equal(failures(results), []);
    const pids = await tsman('inspect', '-f', '{{.State.Pid}} {{.State.Status}}', 'one');
    assert.match(pids.stdout, /^[1-9]\d* running\n$/);
  }));

test('stop, kill, rm and ps at once leave no container behind', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await times(6, (number) =>
      tsman('run', '-d', '--network', 'none', '--name', `c${number}`, ...PROBE, 'sleep'),
    );

    const results = await Promise.all([
      tsman('stop', '-t', '0', '-a'),
      tsman('kill', '-a'),
      tsman('rm', '-fa'),
      tsman('ps', '-a'),
      tsman('rm', '-fa'),
      tsman('inspect', 'c1', 'c2'),
    ]);

    for (const { stderr } of results) assert.not.match(stderr, /SQLITE|locked|TypeError/);
    assert.is((await tsman('rm', '-fa')).exitCode, 0);
    assert.is((await tsman('ps', '-aq')).stdout, '');
  }));

test('a first command and 9 others at the same moment make one store', () =>
  withScratch(async (tsman) => {
    const results = await times(10, () => tsman('ps', '-a'));

    assert.equal(failures(results), []);
  }));

test.run();
