import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rawTar } from '../support/layer-fixtures.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('volumes and names from strangers');
const declare = requires(test, 'userns');

declare('export reads nothing outside while links are swapped (CVE-2023-0778)', () =>
  withScratch(async (tsman, scratch) => {
    const secret = join(scratch.makeDirectory('secret'), 'file');
    writeFileSync(secret, 'very-secret');
    await tsman('volume', 'create', 'data');
    const data = join(scratch.root, 'volumes/data/_data');
    mkdirSync(join(data, 'a'));
    writeFileSync(join(data, 'a/file'), 'mine');
    symlinkSync(join(scratch.directory, 'secret'), join(data, 'l'));
    const script = `cd ${data}; while :; do mv -T a b; mv -T l a; mv -T a l; mv -T b a; done`;
    const swapper = spawn('sh', ['-c', script], { stdio: 'ignore' });
    try {
      for (let i = 0; i < 15; i++)
        assert.not.match((await tsman('volume', 'export', 'data')).stdout, /very-secret/);
    } finally {
      swapper.kill('SIGKILL');
    }
  }),
);

declare('import neither links to a file outside nor writes through one (CVE-2025-11395)', () =>
  withScratch(async (tsman, scratch) => {
    const victim = join(scratch.makeDirectory('outside'), 'victim');
    writeFileSync(victim, 'untouched');
    const up = `../../../../../../../..${victim}`;
    const archives = [victim, up].flatMap((target) => [
      [
        { name: 'hard', type: '1', link: target },
        { name: 'hard', content: 'evil' },
      ],
      [
        { name: 'soft', type: '2', link: target },
        { name: 'again', type: '1', link: 'soft' },
        { name: 'again', content: 'evil' },
      ],
    ]);
    archives.push([{ name: `../../../../outside/victim`, content: 'evil' }]);
    for (const [i, entries] of archives.entries()) {
      await tsman('volume', 'create', `v${i}`);
      await tsman.with({ stdin: rawTar(...entries) })('volume', 'import', `v${i}`, '-');
      assert.is(readFileSync(victim, 'utf8'), 'untouched');
      const exported = await tsman('volume', 'export', `v${i}`);
      assert.not.match(exported.stdout, /untouched/);
    }
  }),
);

test('names are never paths', () =>
  withScratch(async (tsman, { directory }) => {
    const outside = join(directory, 'made');
    for (const name of ['../../made', '../made', '/made', 'a/../../../made', '..', '.', 'a\nb'])
      for (const words of [
        ['volume', 'create', name],
        ['create', '--name', name, 'none'],
        ['network', 'create', name],
        // CVE-2021-20206.
        ['network', 'create', '--driver', name, 'net'],
        ['secret', 'create', name, '/dev/null'],
        ['inspect', name],
      ]) {
        assert.is((await tsman(...words)).exitCode, 125, words.join(' '));
        assert.not.ok(existsSync(outside));
      }
  }));

test('an option inside an option of a mount is refused (CVE-2024-9407)', () =>
  withScratch(async (tsman, { directory }) => {
    for (const [value, said] of [
      ['bind-propagation=shared,src=/', /src= is given twice/],
      ['bind-propagation=rw', /unknown propagation "rw"/],
      ['bind-propagation=private:suid', /propagation "private:suid"/],
    ] as const) {
      const mount = `type=bind,src=${directory},dst=/x,${value}`;
      const { exitCode, stderr } = await tsman('create', '--mount', mount, 'none');
      assert.is(exitCode, 125, stderr);
      assert.match(stderr, said);
    }
  }));

test.run();
