import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { withScripted } from '../support/session.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman login');
const real = requires(test, 'docker-registry');

interface Home {
  readonly tsman: Tsman;
  readonly authFile: string;
  readonly config: string;
  readonly bin: string;
}

/** A home directory without any login, and a registry that lets in user `me` with password `pw`. */
function withHome(body: (home: Home, address: string) => Promise<void>): Promise<void> {
  return withScratch((plain, scratch) =>
    withRegistry({ htpasswd: { username: 'me', password: 'pw' } }, async ({ address }) => {
      const home = scratch.makeDirectory('home');
      const [config, run, bin] = ['config/containers', 'run', 'bin'].map((name) => {
        mkdirSync(join(home, name), { recursive: true });
        return join(home, name);
      }) as [string, string, string];
      const env = {
        HOME: home,
        XDG_RUNTIME_DIR: run,
        XDG_CONFIG_HOME: join(home, 'config'),
        REGISTRY_AUTH_FILE: undefined,
        DOCKER_CONFIG: undefined,
        DOCKER_AUTH_CONFIG: undefined,
        PATH: `${bin}:${process.env['PATH']}`,
      };
      const tsman = plain.with({ env });
      await body({ tsman, config, bin, authFile: join(run, 'containers/auth.json') }, address);
    }),
  );
}

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const auth = (pair: string) => ({ auth: Buffer.from(pair).toString('base64') });

real('keeps every one of many logins at the same time, for their owner only', () =>
  withHome(async ({ tsman, authFile }, address) => {
    const keys = Array.from({ length: 8 }, (_, i) => `${address}/team${i}`);
    const results = await Promise.all(
      keys.map((key) => tsman.with({ stdin: 'pw' })('login', '-u', 'me', '--password-stdin', key)),
    );
    for (const { exitCode, stderr } of results) assert.is(exitCode, 0, stderr);
    assert.equal(Object.keys(readJson(authFile).auths).sort(), keys);
    assert.is(statSync(authFile).mode & 0o777, 0o600);
    assert.equal(readdirSync(join(authFile, '..')), ['auth.json']);
    const some = keys.slice(0, 4);
    await Promise.all(some.map((key) => tsman('logout', key)));
    assert.equal(Object.keys(readJson(authFile).auths).sort(), keys.slice(4));
    assert.is((await tsman('logout', '--all')).exitCode, 0);
    assert.equal(readJson(authFile).auths, {});
  }),
);

real('takes over the lock of a login that was killed', () =>
  withHome(async ({ tsman, authFile }, address) => {
    mkdirSync(join(authFile, '..'));
    writeFileSync(join(authFile, '../.auth.json.tsman-lock'), '999999999 1 other-boot');
    const login = await tsman.with({ stdin: 'pw' })(
      'login',
      '-u',
      'me',
      '--password-stdin',
      address,
    );
    assert.is(login.exitCode, 0, login.stderr);
    assert.equal(readdirSync(join(authFile, '..')), ['auth.json']);
  }),
);

real('uses another account for a part of a registry', () =>
  withHome(async ({ tsman, authFile }, address) => {
    mkdirSync(join(authFile, '..'));
    const auths = { [address]: auth('you:no'), [`${address}/team`]: auth('me:pw') };
    writeFileSync(authFile, JSON.stringify({ auths }));
    assert.match((await tsman('pull', `${address}/team/x`)).stderr, /no such repository/);
    assert.match((await tsman('pull', `${address}/other`)).stderr, /401 authentication required/);
    assert.is((await tsman('login', '--get-login', `${address}/team`)).stdout, 'me\n');
    assert.is((await tsman('login', '--get-login', address)).stdout, 'you\n');
  }),
);

real('asks nobody where the known credentials still count', () =>
  withHome(async ({ tsman, authFile }, address) => {
    const none = await tsman('login', address);
    assert.match(none.stderr, /no terminal to ask/);
    await tsman.with({ stdin: 'pw' })('login', '-u', 'me', '--password-stdin', address);
    const again = await tsman('login', address);
    assert.match(again.stdout, /^Authenticating with existing credentials[\s\S]*Already logged in/);
    writeFileSync(authFile, JSON.stringify({ auths: { [address]: auth('me:old') } }));
    const stale = await tsman('login', address);
    assert.is(stale.exitCode, 125);
    assert.match(stale.stderr, /wrong user name or password/);
  }),
);

real('takes the password from a secret, whose name is the user', () =>
  withHome(async ({ tsman, authFile }, address) => {
    await tsman.with({ stdin: 'pw\n' })('secret', 'create', 'me', '-');
    const login = await tsman('login', '--secret', 'me', address);
    assert.is(login.exitCode, 0, login.stderr);
    assert.equal(readJson(authFile).auths, { [address]: auth('me:pw') });
    const both = await tsman('login', '--secret', 'me', '-p', 'x', address);
    assert.match(both.stderr, /exclude each other/);
    assert.match((await tsman('login', '--secret', 'other', address)).stderr, /no secret/);
  }),
);

real('leaves a link where it points to', () =>
  withHome(async ({ tsman, authFile }, address) => {
    mkdirSync(join(authFile, '..'));
    const elsewhere = join(authFile, '../../elsewhere.json');
    writeFileSync(elsewhere, '{}');
    symlinkSync(elsewhere, authFile);
    await tsman.with({ stdin: 'pw' })('login', '-u', 'me', '--password-stdin', address);
    assert.ok(lstatSync(authFile).isSymbolicLink());
    assert.ok(readJson(elsewhere).auths[address]);
  }),
);

real('obeys credential-helpers of registries.conf and DOCKER_AUTH_CONFIG', () =>
  withHome(async ({ tsman, authFile, bin, config }, address) => {
    // Keeps one file for each server; docker-credential-helpers' protocol.
    const store = join(bin, 'store');
    mkdirSync(store);
    const helper = `#!/bin/sh
cd ${store}; in=$(cat); name() { echo "$1" | tr : _; }
case $1 in
store) echo "$in" > "$(name "$(echo "$in" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/')")" ;;
get) cat "$(name "$in")" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
erase) rm "$(name "$in")" ;;
list) ls | sed 's/_/:/; s/.*/"&":"me"/' | paste -sd, | sed 's/.*/{&}/' ;;
esac\n`;
    writeFileSync(join(bin, 'docker-credential-kept'), helper);
    chmodSync(join(bin, 'docker-credential-kept'), 0o755);
    const conf = join(config, 'registries.conf');
    writeFileSync(conf, 'credential-helpers = ["kept", "containers-auth.json"]\n');
    const login = (key: string) =>
      tsman.with({ stdin: 'pw' })('login', '-v', '-u', 'me', '--password-stdin', key);
    assert.match((await login(address)).stdout, /Used: docker-credential-kept/);
    assert.not.ok(existsSync(authFile));
    assert.is((await tsman('login', '--get-login', address)).stdout, 'me\n');
    assert.match((await tsman('pull', `${address}/x`)).stderr, /no such repository/);
    // A helper knows no paths.
    assert.match((await login(`${address}/team`)).stdout, /Used: .*auth.json/);
    assert.is((await tsman('logout', address)).exitCode, 0);
    assert.equal(readdirSync(store), []);
    assert.match((await tsman('logout', address)).stderr, /not logged in/);
    await login(address);
    await tsman('logout', '--all');
    assert.equal([readdirSync(store), readJson(authFile).auths], [[], {}]);
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [address]: auth('me:pw') } }) };
    assert.match((await tsman.with({ env })('pull', `${address}/x`)).stderr, /no such repository/);
    const broken = await tsman.with({ env: { DOCKER_AUTH_CONFIG: 'c2VjcmV0' } })(
      'pull',
      `${address}/x`,
    );
    assert.match(broken.stderr, /DOCKER_AUTH_CONFIG: not a JSON object/);
    assert.not.match(broken.stderr, /c2VjcmV0/);
  }),
);

test('never says the password, whatever goes wrong', () =>
  withScratch((tsman) =>
    withScripted(
      (_, response) => response.writeHead(500).end('{"errors":[{"code":"X","message":"m"}]}'),
      async ({ address }) => {
        const { stdout, stderr } = await tsman.with({ stdin: 'S3cret' })(
          ...['login', '-u', 'me', '--password-stdin', address],
        );
        assert.not.match(stdout + stderr, /S3cret|UzNjcmV0/);
        const pulled = await tsman('pull', '--retry', '0', '--creds', 'me:S3cret', `${address}/x`);
        assert.not.match(pulled.stdout + pulled.stderr, /S3cret|UzNjcmV0/);
      },
    ),
  ));

test.run();
