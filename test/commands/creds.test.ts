import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { withScreen } from '../support/screen.ts';
import { withScripted } from '../support/session.ts';

const test = suite('tsman --creds');
const real = requires(test, 'docker-registry', 'userns', 'tmux');
const HTPASSWD = { username: 'me', password: 'S3cret:x' };

real('asks for the password on a terminal, and refuses where nobody can answer', () =>
  withScratch((tsman, scratch) =>
    withRegistry({ htpasswd: HTPASSWD }, async ({ address }) => {
      await loadProbe(tsman);
      await withScreen(scratch, {}, async (screen) => {
        await screen.type(`clear; $T push -q --creds me ${PROBE_IMAGE} ${address}/x; echo code=$?`);
        await screen.until(/Password:/);
        await screen.type('S3cret:x');
        await screen.until(/code=0/);
        assert.not.match(screen.text(), /S3cret/);
      });
      const { exitCode, stderr } = await tsman('pull', '--creds', 'me:', `${address}/x`);
      assert.is(exitCode, 125);
      assert.match(stderr, /--creds: there is no terminal to ask for the password\nhint: /);
      // What is kept of the command has no password in it.
      const creds = `me:${HTPASSWD.password}`;
      for (const option of [['--creds', creds], [`--creds=${creds}`]]) {
        const create = ['create', ...option, '--network=none', `${address}/x`, 'me:arg'];
        const created = await tsman(...create);
        assert.is(created.exitCode, 0, created.stderr);
        const { stdout } = await tsman('inspect', created.stdout.trim());
        assert.not.match(stdout, /S3cret/);
        assert.match(stdout, /"(--creds=)?me",/);
        assert.match(stdout, /"me:arg"/);
      }
    }),
  ),
);

real('are for the registry of the name, not for its mirrors', () =>
  withScratch(async (plain, scratch) => {
    const seen: (string | undefined)[] = [];
    await withScripted(
      (request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      },
      async ({ address: mirror }) =>
        withRegistry({ htpasswd: HTPASSWD }, async ({ address }) => {
          const config = scratch.makeDirectory('config');
          mkdirSync(join(config, 'containers'));
          writeFileSync(
            join(config, 'containers/registries.conf'),
            `[[registry]]\nlocation = "${address}"\n[[registry.mirror]]\nlocation = "${mirror}"\n`,
          );
          const tsman = plain.with({ env: { XDG_CONFIG_HOME: config } });
          await loadProbe(tsman);
          const creds = ['--creds', `me:${HTPASSWD.password}`];
          assert.is((await tsman('push', ...creds, PROBE_IMAGE, `${address}/x`)).exitCode, 0);
          assert.equal(seen, [], 'a push goes to no mirror');
          const pulled = await tsman('pull', ...creds, `${address}/x`);
          assert.is(pulled.exitCode, 0, pulled.stderr);
          assert.ok(seen.length > 0, 'the mirror was asked');
          assert.ok(seen.every((authorization) => authorization === undefined));
        }),
    );
  }),
);

test.run();
