import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman secret');
const SECRET = 'correct horse';

requires(test, 'userns')(
  'is a file or a variable in the container, and nowhere to be read outside',
  () =>
    withScratch(async (tsman, { root }) => {
      await loadProbe(tsman);
      const made = await tsman.with({ stdin: SECRET })('secret', 'create', 'db', '-');
      const [file = ''] = readdirSync(join(root, 'secrets'));
      assert.is(made.stdout.trim(), file);
      assert.is(lstatSync(join(root, 'secrets', file)).mode & 0o777, 0o600);
      const use = ['--secret', 'db,uid=1000,mode=0400', '--secret', 'db,type=env,target=PASSWORD'];
      const run = ['run', '--network', 'none', '-u', 'alice', ...use, '--name', 'box', PROBE_IMAGE];
      const cat = await tsman(...run, '/bin/probe', 'cat', '/run/secrets/db');
      assert.is(cat.stdout, SECRET);
      const id = readdirSync(join(root, 'containers'))[0] ?? '';
      const config = readFileSync(join(root, 'containers', id, 'config.json'), 'utf8');
      const { stdout } = await tsman('inspect', 'box');
      for (const text of [config, stdout]) assert.not.match(text, /correct horse/);
      await tsman('rm', 'box');
      const env = await tsman(...run, '/bin/probe', 'env');
      assert.match(env.stdout, /PASSWORD=correct horse/);
    }),
);

test('is kept by containers that have it, and replaced only when asked', () =>
  withScratch(async (tsman) => {
    await tsman.with({ stdin: SECRET })('secret', 'create', 'db', '-');
    const again = await tsman.with({ stdin: 'other' })('secret', 'create', 'db', '-');
    assert.is(again.exitCode, 125);
    const replaced = await tsman.with({ stdin: 'x' })('secret', 'create', '--replace', 'db', '-');
    assert.is(replaced.exitCode, 0);
    assert.is((await tsman('secret', 'exists', 'db')).exitCode, 0);
    assert.is((await tsman('secret', 'rm', 'db')).exitCode, 0);
    assert.is((await tsman('secret', 'exists', 'db')).exitCode, 1);
  }));

test.run();
