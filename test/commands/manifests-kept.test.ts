import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman, one image with several manifests');
const real = requires(test, 'docker-registry', 'userns');

/** The same content at a registry compressed with gzip and with zstd, both pulled. */
interface Pulled {
  readonly tsman: Tsman;
  readonly scratch: Scratch;
  readonly repository: string;
  readonly gzip: string;
  readonly zstd: string;
}

function withBoth(body: (pulled: Pulled) => Promise<void>): Promise<void> {
  return withScratch((tsman, scratch) =>
    withRegistry({}, async ({ address }) => {
      await loadProbe(tsman);
      const repository = `${address}/x`;
      for (const format of ['gzip', 'zstd'])
        await ok(
          tsman,
          ...['push', '--format', 'oci', '--force-compression', '--compression-format', format],
          ...[PROBE_IMAGE, `${repository}:${format}`],
        );
      await ok(tsman, 'rmi', '--all', '--force');
      for (const tag of ['gzip', 'zstd']) await ok(tsman, 'pull', `${repository}:${tag}`);
      const [gzip, zstd] = await Promise.all(
        ['gzip', 'zstd'].map((tag) => remoteDigest(address, tag)),
      );
      assert.not.equal(gzip, zstd);
      await body({ tsman, scratch, repository, gzip: gzip ?? '', zstd: zstd ?? '' });
    }),
  );
}

async function ok(tsman: Tsman, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await tsman(...args);
  assert.is(exitCode, 0, `tsman ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

async function remoteDigest(address: string, tag: string, name = 'x'): Promise<string> {
  const answer = await fetch(`http://${address}/v2/${name}/manifests/${tag}`, {
    method: 'HEAD',
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  return answer.headers.get('docker-content-digest') ?? '';
}

real('shows the digest that each name was pulled with', () =>
  withBoth(async ({ tsman, repository, gzip, zstd }) => {
    const lines = await ok(tsman, 'images', '--format', '{{.Tag}} {{.Digest}}');
    assert.equal(lines.split('\n').sort(), [`gzip ${gzip}`, `zstd ${zstd}`]);
    for (const [tag, digest] of Object.entries({ gzip, zstd })) {
      const name = `${repository}:${tag}`;
      assert.is(await ok(tsman, 'inspect', '--format', '{{.Digest}}', name), digest);
      const byDigest = `${repository}@${digest}`;
      assert.is(await ok(tsman, 'inspect', '--format', '{{.Digest}}', byDigest), digest);
    }
    const digests = await ok(
      tsman,
      'inspect',
      '--format',
      '{{json .RepoDigests}}',
      repository + ':gzip',
    );
    assert.equal(JSON.parse(digests), [`${repository}@${gzip}`, `${repository}@${zstd}`]);
  }),
);

real('pushes by a name, a new tag of it, or --all-tags what that name was pulled with', () =>
  withBoth(async ({ tsman, repository, gzip, zstd }) => {
    const [address = ''] = repository.split('/');
    await ok(tsman, 'tag', `${repository}:gzip`, `${address}/y:gzip`);
    await ok(tsman, 'tag', `${repository}@${zstd}`, `${address}/y:zstd`);
    await ok(tsman, 'push', '--all-tags', `${address}/y`);
    assert.is(await remoteDigest(address, 'gzip', 'y'), gzip);
    assert.is(await remoteDigest(address, 'zstd', 'y'), zstd);
    await ok(tsman, 'push', `${repository}:gzip`, `${address}/z:1`);
    assert.is(await remoteDigest(address, '1', 'z'), gzip);
  }),
);

real('frees a manifest and its blobs with its last name, and the image with the last of all', () =>
  withBoth(async ({ tsman, scratch, repository, gzip, zstd }) => {
    const blob = (digest: string): boolean =>
      existsSync(`${scratch.root}/images/blobs/sha256/${digest.slice(7)}`);
    assert.equal([blob(gzip), blob(zstd)], [true, true]);
    await ok(tsman, 'rmi', `${repository}:zstd`);
    assert.equal([blob(gzip), blob(zstd)], [true, false]);
    assert.is(await ok(tsman, 'images', '--format', '{{.Tag}} {{.Digest}}'), `gzip ${gzip}`);
    assert.is(await ok(tsman, 'system', 'check').then(() => 'sound'), 'sound');
    // The layer is unpacked already; its blob must come again.
    await ok(tsman, 'pull', `${repository}@${zstd}`);
    await ok(tsman, 'rmi', `${repository}:gzip`);
    assert.equal([blob(gzip), blob(zstd)], [false, true]);
    await ok(tsman, 'run', '--rm', '--network=none', `${repository}@${zstd}`, '/bin/probe', 'id');
    await ok(tsman, 'rmi', `${repository}@${zstd}`);
    assert.is(await ok(tsman, 'images', '--all', '--quiet'), '');
  }),
);

test.run();
