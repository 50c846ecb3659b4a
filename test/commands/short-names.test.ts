import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { withScreen } from '../support/screen.ts';

const test = suite('short names');
const real = requires(test, 'docker-registry', 'userns', 'tmux', 'user');

real('are asked about on a terminal, and the answer is remembered', () =>
  withScratch(async (plain, scratch) =>
    withRegistry({}, async ({ address }) => {
      const home = scratch.makeDirectory('home');
      mkdirSync(join(home, 'config/containers'), { recursive: true });
      const conf = join(home, 'config/containers/registries.conf');
      writeFileSync(conf, `unqualified-search-registries = ["127.0.0.1:1", "${address}"]\n`);
      const env = { XDG_CONFIG_HOME: join(home, 'config'), XDG_CACHE_HOME: join(home, 'cache') };
      const cache = join(home, 'cache/containers/short-name-aliases.conf');
      const tsman = plain.with({ env });
      await loadProbe(tsman);
      await tsman('push', PROBE_IMAGE, `${address}/team/web:1`);
      await tsman('rmi', '--all', '--force');
      await withScreen(scratch, { env }, async (screen) => {
        await screen.type('clear; $T pull --retry 0 team/web:1; echo code=$?');
        await screen.until(/Which image is team\/web:1\?/);
        await screen.type('7');
        await screen.until(/"7" is none of them/);
        // A choice that cannot be pulled is not remembered.
        await screen.type('1');
        await screen.until(/code=125/);
        assert.throws(() => readFileSync(cache), /ENOENT/);
        await screen.type('clear; $T pull team/web:1; echo code=$?');
        await screen.until(/Number/);
        await screen.type('2');
        await screen.until(/code=0/);
        await screen.type('clear; $T pull team/web:1; echo again=$?');
        await screen.until(/again=0/);
        await screen.type(
          'clear; rm $XDG_CACHE_HOME/containers/*; $T pull team/web:1; echo code=$?',
        );
        await screen.until(/Number/);
        screen.press('C-c');
        await screen.until(/code=130/);
      });
      assert.throws(() => readFileSync(cache), /ENOENT/);
      // Without a terminal: one after the other, or not at all.
      const permissive = await tsman('pull', '--retry', '0', 'team/web:1');
      assert.is(permissive.exitCode, 0, permissive.stderr);
      writeFileSync(conf, `short-name-mode = "enforcing"\n${readFileSync(conf)}`);
      const enforcing = await tsman('pull', 'team/web:1');
      assert.is(enforcing.exitCode, 125);
      assert.match(enforcing.stderr, /no terminal to ask on\nhint: give the full name/);
      mkdirSync(join(home, 'cache/containers'), { recursive: true });
      writeFileSync(cache, `[aliases]\n  "team/web" = "${address}/team/web"\n`);
      assert.is((await tsman('pull', 'team/web:1')).exitCode, 0);
      rmSync(cache);
    }),
  ),
);

test.run();
