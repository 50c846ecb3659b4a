import { mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeLayout } from '../support/oci-layout.ts';
import { type RegistryOptions, type TestRegistry, withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { withScripted } from '../support/session.ts';
import { writeTar } from '../support/tar.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman pull, push, login');
const real = requires(test, 'docker-registry', 'userns');

/** Loads an image of two layers, as `localhost/made:1`. */
async function makeImage(tsman: Tsman, scratch: Scratch): Promise<void> {
  const directory = scratch.makeDirectory('image');
  const [first, second] = [join(directory, '1.tar'), join(directory, '2.tar')];
  await writeTar(first, [
    { name: 'a', content: 'a'.repeat(500_000) },
    { name: 'b', content: 'b' },
  ]);
  await writeTar(second, [{ name: '.wh.b' }, { name: 'c', content: 'c' }]);
  const layers = [
    { tar: first, compression: 'gzip' },
    { tar: second, compression: 'zstd' },
  ] as const;
  await writeLayout(join(directory, 'layout'), { name: 'localhost/made:1', layers, config: {} });
  const { exitCode, stderr } = await tsman('load', '-i', join(directory, 'layout'));
  assert.is(exitCode, 0, stderr);
}

function withBoth(
  options: RegistryOptions,
  body: (tsman: Tsman, registry: TestRegistry, scratch: Scratch) => Promise<void>,
): Promise<void> {
  return withScratch((tsman, scratch) =>
    withRegistry(options, async (registry) => {
      await makeImage(tsman, scratch);
      await body(tsman, registry, scratch);
    }),
  );
}

real('push and pull give the same image again, and say what they skip', () =>
  withBoth({}, async (tsman, { address }, { directory }) => {
    const name = `${address}/team/made:1`;
    const digestFile = join(directory, 'digest');
    const pushed = await tsman('push', '--digestfile', digestFile, 'localhost/made:1', name);
    assert.is(pushed.exitCode, 0, pushed.stderr);
    assert.match((await tsman('push', 'localhost/made:1', name)).stderr, /: already exists \(/);
    await tsman('rmi', '-a', '-f');
    const pulled = await tsman('pull', name);
    assert.is(pulled.exitCode, 0, pulled.stderr);
    assert.match(pulled.stdout, /^[0-9a-f]{64}\n$/);
    assert.match(pulled.stderr, /^Pulling .*\n(.*: done \(.*\)\n){2}$/);
    const again = await tsman('pull', name);
    assert.is(again.stdout, pulled.stdout);
    assert.match(again.stderr, /(.*: already exists \(.*\)\n){2}$/);
    const byDigest = await tsman(
      'pull',
      '-q',
      `${address}/team/made@${readFileSync(digestFile, 'utf8')}`,
    );
    assert.equal([byDigest.stdout, byDigest.stderr], [pulled.stdout, '']);
  }),
);

real('push compresses and writes the manifest anew when asked to', () =>
  withBoth({}, async (tsman, { address }) => {
    const refused = await tsman('push', '--format', 'docker', 'localhost/made:1', `${address}/d`);
    assert.match(refused.stderr, /cannot hold zstd layers/);
    assert.is(refused.exitCode, 125);
    const docker = await tsman(
      'push',
      '--format',
      'docker',
      '--compression-format',
      'gzip',
      'localhost/made:1',
      `${address}/d`,
    );
    assert.is(docker.exitCode, 0, docker.stderr);
    const answer = await fetch(`http://${address}/v2/d/manifests/latest`, {
      headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    });
    assert.match(await answer.text(), /rootfs\.diff\.tar\.gzip.*rootfs\.diff\.tar\.gzip/);
    const ids = await tsman('images', '-q', '--no-trunc');
    const pulled = await tsman('pull', `${address}/d`);
    assert.is(`sha256:${pulled.stdout}`, ids.stdout);
  }),
);

real('pull says which tags there are, and what is wrong with a name', () =>
  withBoth({}, async (tsman, { address }) => {
    await tsman('push', 'localhost/made:1', `${address}/made:1.0`);
    const tag = await tsman('pull', `${address}/made:1.1`);
    assert.match(tag.stderr, /Error: pull .*: no tag 1\.1\nhint: there is: 1\.0\n$/);
    assert.match((await tsman('pull', `${address}/mode`)).stderr, /: no such repository\n/);
    assert.match(
      (await tsman('pull', '--platform', 'linux/s390x', `${address}/made:1.0`)).stderr,
      /is for linux\/\w+, not for linux\/s390x/,
    );
    const refused = await tsman('pull', '127.0.0.1:1/x');
    assert.equal([refused.exitCode, refused.stdout], [125, '']);
    assert.match(refused.stderr, /Error: .*ECONNREFUSED/);
    assert.match((await tsman('pull', '--policy', 'never', 'nothing')).stderr, /image not known/);
    assert.match(
      (await tsman('pull', '--policy', 'sometimes', 'nothing')).stderr,
      /--policy: "sometimes"/,
    );
  }),
);

real('login keeps what push and pull then use, logout forgets it', () => {
  const [username, password] = ['user', 'pass word:x'];
  return withBoth(
    { htpasswd: { username, password } },
    async (plain, { address }, { directory }) => {
      const authFile = join(directory, 'auth.json');
      const env = { REGISTRY_AUTH_FILE: authFile };
      const tsman = plain.with({ env });
      assert.match(
        (await tsman('push', 'localhost/made:1', `${address}/x`)).stderr,
        /401 authentication required[\s\S]*hint: log in/,
      );
      const wrong = await plain.with({ env, stdin: 'no' })(
        'login',
        '-u',
        username,
        '--password-stdin',
        address,
      );
      assert.match(wrong.stderr, /wrong user name or password/);
      const login = await plain.with({ env, stdin: `${password}\n` })(
        'login',
        '-u',
        username,
        '--password-stdin',
        address,
      );
      assert.is(login.stdout, 'Login Succeeded!\n', login.stderr);
      assert.is(statSync(authFile).mode & 0o777, 0o600);
      assert.is((await tsman('login', '--get-login', address)).stdout, `${username}\n`);
      assert.is((await tsman('push', 'localhost/made:1', `${address}/x`)).exitCode, 0);
      assert.match(
        (await tsman('search', `${address}/`)).stdout,
        new RegExp(`^NAME.*\\n${address}/x`),
      );
      assert.is((await tsman('logout', address)).exitCode, 0);
      assert.is((await tsman('pull', `${address}/x`)).exitCode, 125);
      assert.is(
        (await tsman('pull', '--creds', `${username}:${password}`, `${address}/x`)).exitCode,
        0,
      );
      assert.match((await tsman('logout', address)).stderr, /not logged in/);
    },
  );
});

real('pull trusts a registry by --cert-dir, or not at all when told so', () =>
  withBoth({ tls: true }, async (tsman, { address, certDirectory }) => {
    const name = `${address}/x`;
    assert.match(
      (await tsman('push', 'localhost/made:1', name)).stderr,
      /signed by an unknown authority/,
    );
    assert.is(
      (await tsman('push', '--cert-dir', certDirectory, 'localhost/made:1', name)).exitCode,
      0,
    );
    assert.is((await tsman('pull', '--tls-verify=false', name)).exitCode, 0);
  }),
);

real("finds a registry's CA in certs.d of the user", () =>
  withBoth({ tls: true }, async (plain, { address, certDirectory }, scratch) => {
    const config = scratch.makeDirectory('config');
    mkdirSync(join(config, 'containers/certs.d'), { recursive: true });
    symlinkSync(certDirectory, join(config, 'containers/certs.d', address));
    const tsman = plain.with({ env: { XDG_CONFIG_HOME: config } });
    const pushed = await tsman('push', 'localhost/made:1', `${address}/x`);
    assert.is(pushed.exitCode, 0, pushed.stderr);
    assert.is((await plain('pull', `${address}/x`)).exitCode, 125);
  }),
);

real('pull refuses schema 1, and content that is not what its digest says', () =>
  withScripted(
    (request, response) => {
      const body = request.url?.includes('old')
        ? { schemaVersion: 1, name: 'x', fsLayers: [] }
        : { schemaVersion: 2, manifests: [], layers: [], config: {} };
      response
        .setHeader('content-type', 'application/vnd.docker.distribution.manifest.v2+json')
        .end(JSON.stringify(body));
    },
    ({ address }) =>
      withScratch(async (tsman) => {
        assert.match((await tsman('pull', `${address}/old`)).stderr, /schema 1/);
        assert.match((await tsman('pull', `${address}/both`)).stderr, /CVE-2021-41190/);
        assert.match(
          (await tsman('pull', `${address}/x@sha256:${'0'.repeat(64)}`)).stderr,
          /wrong content/,
        );
        assert.is((await tsman('images', '-q')).stdout, '');
      }),
  ),
);

test.run();
