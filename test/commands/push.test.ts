import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { withScripted } from '../support/session.ts';
import { writeTar } from '../support/tar.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman push, options');
const real = requires(test, 'docker-registry', 'userns');

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function layersOf(address: string, name: string): Promise<Layer[]> {
  const answer = await fetch(`http://${address}/v2/${name}/manifests/latest`, {
    headers: { accept: `${MEDIA_TYPE.ociManifest}, ${MEDIA_TYPE.dockerManifest}` },
  });
  return ((await answer.json()) as { layers: Layer[] }).layers;
}

function withImage(
  body: (tsman: Tsman, address: string, scratch: Scratch) => Promise<void>,
): Promise<void> {
  return withScratch((tsman, scratch) =>
    withRegistry({}, async ({ address }) => {
      await loadProbe(tsman);
      await body(tsman, address, scratch);
    }),
  );
}

async function succeeds(tsman: Tsman, ...args: string[]): Promise<string> {
  const { exitCode, stderr } = await tsman(...args);
  assert.is(exitCode, 0, `tsman ${args.join(' ')}: ${stderr}`);
  return stderr;
}

real('compresses anew with format, level and force', () =>
  withImage(async (tsman, address, { root }) => {
    const blobs = (): string[] => readdirSync(join(root, 'images/blobs/sha256')).sort();
    const before = blobs();
    const push = async (name: string, ...options: string[]): Promise<Layer[]> => {
      const { exitCode, stderr } = await tsman(
        'push',
        ...options,
        PROBE_IMAGE,
        `${address}/${name}`,
      );
      assert.is(exitCode, 0, stderr);
      return layersOf(address, name);
    };
    const fast = [
      '--force-compression',
      '--compression-format',
      'gzip',
      '--compression-level',
      '1',
    ];
    const best = [...fast.slice(0, -1), '9'];
    const stored = await push('stored');
    assert.equal(await push('kept', '--compression-format', 'gzip'), stored);
    const [one, nine] = [(await push('one', ...fast))[0], (await push('nine', ...best))[0]];
    assert.ok(one !== undefined && nine !== undefined && one.size > nine.size, `${one?.size}`);
    const [zstd] = await push('zstd', '--compression-format=zstd', '--compression-level=19');
    assert.is(zstd?.mediaType, MEDIA_TYPE.ociLayerZstd);
    assert.equal(blobs(), before);
    await tsman('rmi', '--all', '--force');
    const pulled = await tsman('pull', `${address}/zstd`);
    assert.is(pulled.exitCode, 0, pulled.stderr);
    for (const [options, why] of [
      [['--compression-format', 'zstd:chunked'], /layers are not written as zstd:chunked/],
      [['--compression-format', 'lz4'], /none of gzip, zstd/],
      [['--compression-level', '3'], /needs --compression-format/],
      [['--force-compression'], /needs --compression-format/],
      [['--compression-format', 'gzip', '--compression-level', '10'], /levels 1 to 9/],
      [['--parallel-copies', '0'], /not a number from 1/],
    ] as const) {
      const refused = await tsman('push', ...options, `${address}/zstd`);
      assert.is(refused.exitCode, 125);
      assert.match(refused.stderr, why);
    }
  }),
);

real('sends all tags, and pull --all-tags gets them', () =>
  withImage(async (tsman, address, scratch) => {
    const names = ['1', '2', 'latest'].map((tag) => `${address}/team/web:${tag}`);
    for (const name of names) await tsman('tag', PROBE_IMAGE, name);
    const file = join(scratch.directory, 'digest');
    const pushed = await tsman('push', '--all-tags', '--digestfile', file, `${address}/team/web`);
    assert.is(pushed.exitCode, 0, pushed.stderr);
    const digest = readFileSync(file, 'utf8');
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    assert.is(pushed.stderr.match(new RegExp(`digest: ${digest}$`, 'gm'))?.length, 3);
    await tsman('rmi', '--all', '--force');
    const pulled = await tsman(
      'pull',
      '--all-tags',
      '--parallel-copies',
      '1',
      `${address}/team/web`,
    );
    assert.is(pulled.exitCode, 0, pulled.stderr);
    assert.match(pulled.stdout, /^[0-9a-f]{64}\n$/);
    const listed = await tsman('images', '--format', '{{.Repository}}:{{.Tag}}');
    assert.equal(listed.stdout.trimEnd().split('\n').sort(), names);
    assert.match((await tsman('pull', '-a', `${address}/team/web:1`)).stderr, /without tag/);
  }),
);

real('asks the registry only when the policy says so', () =>
  withImage(async (tsman, address) => {
    const name = `${address}/x:1`;
    await succeeds(tsman, 'push', PROBE_IMAGE, name);
    await succeeds(tsman, 'rmi', '--all', '--force');
    assert.match((await tsman('pull', '--policy', 'never', name)).stderr, /image not known/);
    await succeeds(tsman, 'pull', '--policy', 'missing', name);
    const gone = '127.0.0.1:1/x:1';
    await succeeds(tsman, 'tag', name, gone);
    await succeeds(tsman, 'pull', '--policy', 'missing', gone);
    const newer = await succeeds(tsman, 'pull', '--policy', 'newer', '--retry', '0', gone);
    assert.match(newer, /^warning: .*refused.*; using the image that is here$/m);
    assert.is((await tsman('pull', '--retry', '0', gone)).exitCode, 125);
  }),
);

test('and pull refuse what is no registry, and what they cannot do, with the reason', () =>
  withScratch(async (tsman) => {
    for (const [args, why] of [
      [['pull', 'docker-archive:/x.tar'], /docker-archive: is no registry\nhint: .*load -i/],
      [['push', 'x', 'dir:/x'], /dir: is no registry\nhint: .*save --format/],
      [['pull', 'docker://x@y'], /invalid reference "x@y"/],
      [['pull', '--decryption-key', 'k', 'x'], /--decryption-key: layers are neither/],
      [['push', '--sign-by', 'k', 'x'], /--sign-by: images are not signed here/],
      [['pull', '--authfile', '/nowhere', 'x'], /--authfile: \/nowhere: no such file/],
    ] as const) {
      const { exitCode, stderr } = await tsman(...args);
      assert.is(exitCode, 125);
      assert.match(stderr, why);
    }
  }));

/** A skippable frame, in which zstd:chunked keeps its table of contents (RFC 8878, 3.1.2). */
function skippable(content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

real('is not needed to read zstd:chunked layers as zstd', () =>
  withScratch(async (tsman, scratch) => {
    const tar = join(scratch.directory, 'layer.tar');
    await writeTar(tar, [
      { name: 'a', content: 'a'.repeat(70_000) },
      { name: 'b', content: 'b'.repeat(10) },
    ]);
    const plain = readFileSync(tar);
    const digestOf = (bytes: Buffer) =>
      `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    // Each file is a frame of its own, the table and a footer follow.
    const layer = Buffer.concat([
      zstdCompressSync(plain.subarray(0, 512)),
      zstdCompressSync(plain.subarray(512)),
      skippable(zstdCompressSync(Buffer.from('{"version":1,"entries":[]}'))),
      skippable(Buffer.alloc(64, 'GNUlInUx')),
    ]);
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const rootfs = { type: 'layers', diff_ids: [digestOf(plain)] };
    const config = Buffer.from(JSON.stringify({ os: 'linux', architecture, rootfs }));
    const describe = (mediaType: string, bytes: Buffer) => ({
      mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
    });
    const annotations = { 'io.github.containers.zstd-chunked.manifest-checksum': digestOf(plain) };
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: describe(MEDIA_TYPE.ociConfig, config),
      layers: [{ ...describe(MEDIA_TYPE.ociLayerZstd, layer), annotations }],
    });
    await withScripted(
      (request, response) => {
        if (request.url?.includes('/manifests/'))
          response.setHeader('content-type', MEDIA_TYPE.ociManifest).end(manifest);
        else response.end(request.url?.includes(digestOf(layer)) ? layer : config);
      },
      async ({ address }) => {
        const { exitCode, stderr } = await tsman('pull', `${address}/chunked`);
        assert.is(exitCode, 0, stderr);
      },
    );
    await tsman('rmi', '--all', '--force');
  }),
);

test.run();
