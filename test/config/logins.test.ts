import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findLogin, removeLogin, saveLogin } from '../../src/config/logins.ts';

const test = suite('auth.json');

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync('/var/tmp/ta');
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const auth = (pair: string) => ({ auth: Buffer.from(pair).toString('base64') });

test('gives the entry of the longest path', () =>
  withDirectory(async (directory) => {
    const authFile = join(directory, 'auth.json');
    writeFileSync(
      authFile,
      JSON.stringify({
        auths: {
          'r.example/a/b': auth('ab:1'),
          'r.example/a': auth('a:2:3'),
          'r.example': auth('host:4'),
          'https://index.docker.io/v1/': auth('hub:5'),
        },
      }),
    );
    const user = async (registry: string, repository?: string) =>
      (await findLogin({ registry, repository, authFile }))?.username;
    assert.is(await user('r.example', 'a/b/c'), 'ab');
    assert.is(await user('r.example', 'a/bc'), 'a');
    assert.is(await user('r.example', 'x'), 'host');
    assert.is(await user('docker.io', 'library/debian'), 'hub');
    assert.is(await user('other.example', 'a'), undefined);
    assert.is(
      (await findLogin({ registry: 'r.example', repository: 'a', authFile }))?.password,
      '2:3',
    );
  }));

test('is looked for in the order of containers-auth.json(5)', () =>
  withDirectory(async (directory) => {
    const env = {
      XDG_RUNTIME_DIR: join(directory, 'run'),
      XDG_CONFIG_HOME: join(directory, 'config'),
      DOCKER_CONFIG: join(directory, 'docker'),
      HOME: directory,
    };
    const user = async () => (await findLogin({ registry: 'r.example' }, env))?.username;
    for (const [name, path] of [
      ['docker', 'docker/config.json'],
      ['config', 'config/containers/auth.json'],
      ['run', 'run/containers/auth.json'],
    ] as const) {
      await saveLogin(join(directory, path), 'r.example', { username: name, password: 'x' });
      assert.is(await user(), name);
    }
    await saveLogin(join(directory, 'forced'), 'r.example', { username: 'forced', password: 'x' });
    assert.is(
      (
        await findLogin(
          { registry: 'r.example' },
          { ...env, REGISTRY_AUTH_FILE: join(directory, 'forced') },
        )
      )?.username,
      'forced',
    );
  }));

test('is written for its owner only, and what tsman does not know is kept', () =>
  withDirectory(async (directory) => {
    const path = join(directory, 'auth.json');
    writeFileSync(
      path,
      JSON.stringify({ auths: { other: auth('x:y') }, HttpHeaders: { a: 'b' } }),
      { mode: 0o644 },
    );
    await saveLogin(path, 'r.example/team', { username: 'me', password: 'secret' });
    assert.is(statSync(path).mode & 0o777, 0o600);
    assert.is(await removeLogin(path, 'r.example'), false);
    assert.is(await removeLogin(path, 'r.example/team'), true);
    assert.equal(JSON.parse(readFileSync(path, 'utf8')), {
      auths: { other: auth('x:y') },
      HttpHeaders: { a: 'b' },
    });
  }));

test('sends to the credential helper it names, through standard input', () =>
  withDirectory(async (directory) => {
    const helper = `#!/bin/sh\nread server\nprintf '%s %s\\n' "$1" "$server" >> ${directory}/log\ncase $server in r.example) echo '{"Username":"helped","Secret":"s"}' ;; *) echo 'credentials not found in native keychain'; exit 1 ;; esac\n`;
    writeFileSync(join(directory, 'docker-credential-tsmantest'), helper, { mode: 0o755 });
    const authFile = join(directory, 'config.json');
    writeFileSync(
      authFile,
      JSON.stringify({
        credHelpers: {
          'r.example': 'tsmantest',
          'none.example': 'tsmantest',
          'bad.example': '../x',
        },
      }),
    );
    // The helper is found on PATH, which is read-only for tests: run in a process of its own.
    const { execa } = await import('execa');
    const script = `import { findLogin } from './src/config/logins.ts'; console.log(JSON.stringify(await findLogin({ registry: process.argv[1] ?? process.argv[2], authFile: ${JSON.stringify(authFile)} }) ?? null))`;
    const find = (registry: string) =>
      execa(process.execPath, ['-e', script, registry], {
        env: { PATH: `${directory}:/usr/bin:/bin` },
        timeout: 60_000,
        reject: false,
      });
    assert.equal(JSON.parse((await find('r.example')).stdout), {
      username: 'helped',
      password: 's',
    });
    assert.is((await find('none.example')).stdout, 'null');
    assert.match((await find('bad.example')).stderr, /not a program's name/);
    assert.is(readFileSync(join(directory, 'log'), 'utf8'), 'get r.example\nget none.example\n');
  }));

test('that is no JSON is refused without quoting it', () =>
  withDirectory(async (directory) => {
    const authFile = join(directory, 'auth.json');
    writeFileSync(authFile, 'c2VjcmV0');
    try {
      await findLogin({ registry: 'r.example', authFile });
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /not a JSON object/);
      assert.not.match(String(error), /c2VjcmV0/);
    }
  }));

test.run();
