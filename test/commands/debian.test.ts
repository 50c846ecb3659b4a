// timeout: 400
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEBIAN_IMAGE, debianDirectory, pushDebian } from '../support/debian.ts';
import { freePort } from '../support/free-port.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';

const test = suite('a real Debian');
const needs = requires(
  test,
  'userns',
  'subids',
  'docker-registry',
  'skopeo',
  'mmdebstrap',
  'pasta',
  'tun',
);

for (const compression of ['gzip', 'zstd'] as const) {
  needs(`is pulled from a registry, ${compression}, and runs as it was packed`, () =>
    withPulledDebian(compression, async (tsman, image) => {
      const release = await tsman(
        'run',
        '--rm',
        '--network',
        'none',
        image,
        'cat',
        '/etc/os-release',
      );
      assert.match(release.stdout, /Debian GNU\/Linux 12/);
      const again = await tsman('pull', image);
      assert.is(again.exitCode, 0, again.stderr);
      assert.match((await tsman('images')).stdout, /debian\s+bookworm/);
    }),
  );
}

needs('lets dpkg, useradd, chown and su work: all ids are there', () =>
  withDebian(async (tsman, image) => {
    const script = [
      'set -e',
      'useradd --create-home bob',
      'touch /home/bob/x && chown bob:www-data /home/bob/x && stat -c %U:%G /home/bob/x',
      'su bob -c "id -un"',
      'dpkg --force-depends --purge redis-tools >/dev/null 2>&1 && echo purged',
      'apt-get --version | head -n 1',
    ].join('\n');
    const result = await tsman('run', '--rm', '--network', 'none', image, 'bash', '-c', script);
    assert.is(result.exitCode, 0, result.stderr);
    assert.match(result.stdout, /^bob:www-data\nbob\npurged\napt 2/);
  }),
);

needs('serves HTTP on a published port', () =>
  withDebian(async (tsman, image) => {
    const port = await freePort();
    const script = 'echo served > /tmp/page && exec python3 -m http.server --directory /tmp 8000';
    const started = await tsman(
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      `${port}:8000`,
      image,
      'sh',
      '-c',
      script,
    );
    assert.is(started.exitCode, 0, started.stderr);
    assert.is(await fetchPatiently(`http://127.0.0.1:${port}/page`), 'served\n');
    assert.match((await tsman('ps')).stdout, new RegExp(`0\\.0\\.0\\.0:${port}->8000/tcp`));
    const taken = await tsman('run', '--rm', '-p', `${port}:8000`, image, 'true');
    assert.is(taken.exitCode, 125);
    assert.match(taken.stderr, /the port is in use on the host/);
    assert.is((await tsman('rm', '-f', 'web')).exitCode, 0);
  }),
);

needs('keeps a database in a bind mount over a restart', () =>
  withDebian(async (tsman, image, scratch) => {
    const data = scratch.makeDirectory('data');
    const server = [
      'redis-server',
      '--dir',
      '/data',
      '--appendonly',
      'yes',
      '--port',
      '0',
      '--unixsocket',
      '/tmp/s',
    ];
    const args = [
      'run',
      '-d',
      '--name',
      'db',
      '--network',
      'none',
      '-v',
      `${data}:/data`,
      image,
      ...server,
    ];
    assert.is((await tsman(...args)).exitCode, 0);
    const client = async (...words: string[]): Promise<string> => {
      for (let attempt = 0; attempt < 300; attempt++) {
        const result = await tsman('exec', 'db', 'redis-cli', '-s', '/tmp/s', ...words);
        if (result.exitCode === 0 && !result.stdout.includes('Could not connect'))
          return result.stdout.trim();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return 'never up';
    };
    assert.is(await client('set', 'key', 'kept'), 'OK');
    assert.is((await tsman('stop', 'db')).exitCode, 0);
    assert.match((await tsman('ps', '-a')).stdout, /Exited \(0\)/);
    assert.is((await tsman('start', 'db')).exitCode, 0);
    assert.is(await client('get', 'key'), 'kept');
    assert.ok(readdirSync(data).includes('appendonlydir'));
    await tsman('rm', '-f', 'db');
    assert.is((await tsman(...args)).exitCode, 0);
    assert.is(await client('get', 'key'), 'kept');
  }),
);

needs('passes 200 MB through stdout without loss, and stdin to its end', () =>
  withDebian(async (tsman, image, scratch) => {
    const run = ['run', '--rm', '-i', '--network', 'none', image];
    const empty = await tsman(...run, 'sha256sum');
    assert.match(empty.stdout, /^e3b0c44298fc1c149afb/, 'an empty input ends at once');
    const lines = await tsman.with({ stdin: 'one\ntwo\n' })(...run, 'wc', '-l');
    assert.is(lines.stdout.trim(), '2');
    const pipeline = `"$T" run --rm --network none ${image} head -c 200000000 /dev/urandom | tee "$D/copy" | wc -c`;
    const env = { ...process.env, ...tsmanEnv(scratch), T: tsmanPath(), D: scratch.directory };
    const count = execFileSync('sh', ['-c', pipeline], { env, encoding: 'utf8', timeout: 60_000 });
    assert.is(count.trim(), '200000000');
    const back = `"$T" run --rm -i --network none ${image} sha256sum <"$D/copy"; sha256sum <"$D/copy"`;
    const sums = execFileSync('sh', ['-c', back], { env, encoding: 'utf8', timeout: 60_000 });
    const [inside, outside] = sums.split('\n');
    assert.is(inside, outside);
  }),
);

needs('mounts a host directory read-only when asked', () =>
  withDebian(async (tsman, image, scratch) => {
    const source = scratch.makeDirectory('source');
    writeFileSync(`${source}/file`, 'from the host');
    const run = (options: string, script: string) =>
      tsman(
        'run',
        '--rm',
        '--network',
        'none',
        '-v',
        `${source}:/mnt${options}`,
        image,
        'sh',
        '-c',
        script,
      );
    assert.is((await run('', 'cat /mnt/file && echo more > /mnt/new')).stdout, 'from the host');
    const refused = await run(':ro', 'echo no > /mnt/file');
    assert.is(refused.exitCode, 2);
    assert.match(refused.stderr, /Read-only file system/);
    assert.equal(readdirSync(source).sort(), ['file', 'new']);
  }),
);

/** From the archive: quicker than the registry, which the first two tests are about. */
async function withDebian(
  body: (tsman: Tsman, image: string, scratch: Scratch) => Promise<void>,
): Promise<void> {
  const archive = `${await debianDirectory()}/debian.tar`;
  await withScratch(async (tsman, scratch) => {
    const loaded = await tsman('load', '-q', '-i', archive);
    assert.is(loaded.exitCode, 0, loaded.stderr);
    await body(tsman, DEBIAN_IMAGE, scratch);
  });
}

async function withPulledDebian(
  compression: 'gzip' | 'zstd',
  body: (tsman: Tsman, image: string) => Promise<void>,
): Promise<void> {
  await withRegistry({}, async ({ address }) => {
    const image = `${address}/debian:bookworm`;
    await pushDebian(compression, image);
    await withScratch(async (tsman) => {
      const pulled = await tsman('pull', '-q', image);
      assert.is(pulled.exitCode, 0, pulled.stderr);
      await body(tsman, image);
    });
  });
}

/** The server inside needs a moment after the container has started. */
async function fetchPatiently(url: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetchText(url);
    } catch (error) {
      if (attempt === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 10_000 }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', reject);
  });
}

test.run();
