import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { runProgram } from '../support/programs.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman manifest');

interface ListJson {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests: {
    readonly digest: string;
    readonly platform: Readonly<Record<string, unknown>>;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

async function inspect(tsman: Tsman, name: string): Promise<ListJson> {
  return JSON.parse((await tsman('manifest', 'inspect', name)).stdout);
}

/** The digest that a registry's list has for an architecture. */
async function memberDigest(name: string, architecture: string): Promise<string> {
  const words = ['inspect', '--no-creds', '--tls-verify=false', '--raw', `docker://${name}`];
  const list = JSON.parse(await runProgram('skopeo', words)) as ListJson;
  const found = list.manifests.find(({ platform }) => platform['architecture'] === architecture);
  return found?.digest ?? 'none';
}

test('makes, annotates and empties a list', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    assert.is((await tsman('manifest', 'exists', 'multi')).exitCode, 1);
    assert.is((await tsman('manifest', 'create', 'multi', PROBE_IMAGE)).exitCode, 0);
    assert.is((await tsman('manifest', 'exists', 'multi')).exitCode, 0);
    assert.match((await tsman('manifest', 'create', 'multi')).stderr, /exists/);
    await tsman(
      'manifest',
      'annotate',
      '--variant',
      'v8',
      '--annotation',
      'a=b',
      'multi',
      PROBE_IMAGE,
    );
    const [entry] = (await inspect(tsman, 'multi')).manifests;
    assert.is(entry?.platform['variant'], 'v8');
    assert.equal(entry?.annotations, { a: 'b' });
    // The collector must not take the index of a list.
    await tsman('system', 'prune', '-f');
    assert.is((await tsman('manifest', 'remove', 'multi', entry?.digest ?? '')).exitCode, 0);
    assert.is((await inspect(tsman, 'multi')).manifests.length, 0);
    assert.is((await tsman('manifest', 'rm', 'multi')).exitCode, 0);
    assert.is((await tsman('manifest', 'rm', 'multi')).exitCode, 125);
    assert.is((await tsman('images', '-q')).stdout.trim().length, 12);
  }));

test('says what a list itself is, and refuses what only an entry can be', () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    await tsman('manifest', 'create', '--annotation', 'a=1', 'multi');
    await tsman('manifest', 'create', '--amend', '--annotation', 'b=2', 'multi', PROBE_IMAGE);
    await tsman('manifest', 'annotate', '--index', '--annotation', 'c=3', 'multi');
    assert.equal((await inspect(tsman, 'multi')).annotations, { a: '1', b: '2', c: '3' });
    const rmi = await tsman('rmi', 'multi');
    assert.is(rmi.exitCode, 1);
    assert.match(
      rmi.stderr,
      /multi is a manifest list, not an image\nhint: tsman manifest rm multi/,
    );
    for (const [words, why] of [
      [['annotate', '--index', '--arch', 'arm64', 'multi'], /--arch is about an image of the list/],
      [['add', '--artifact', 'multi', '/etc/passwd'], /--artifact: OCI artifacts are not stored/],
      [['push', '--add-compression', 'zstd', 'multi'], /--add-compression: a list is pushed/],
      [['push', '--sign-by', 'me', 'multi'], /--sign-by: images are not signed here/],
      [['push', 'multi', 'dir:/tmp/x'], /dir: is no registry/],
    ] as const) {
      const { exitCode, stderr } = await tsman('manifest', ...words);
      assert.is(exitCode, 125);
      assert.match(stderr, why);
    }
  }));

requires(
  test,
  'docker-registry',
  'skopeo',
)('pushes a list with its images, as OCI and as Docker has it, and takes it from there again', () =>
  withScratch((tsman) =>
    withRegistry({}, async ({ address }) => {
      await loadProbe(tsman);
      await tsman('run', '--name', 'c', '--network', 'none', PROBE_IMAGE, '/bin/probe', 'id');
      await tsman('commit', '-c', 'LABEL other=1', 'c', 'other');
      await tsman('manifest', 'create', 'multi', PROBE_IMAGE);
      await tsman('manifest', 'add', '--arch', 's390x', 'multi', 'other');
      for (const format of ['oci', 'v2s2']) {
        const to = `docker://${address}/multi:${format}`;
        const push = await tsman('manifest', 'push', '--format', format, 'multi', to);
        assert.is(push.exitCode, 0, push.stderr);
        const raw = await runProgram('skopeo', [
          'inspect',
          '--no-creds',
          '--tls-verify=false',
          '--raw',
          `docker://${address}/multi:${format}`,
        ]);
        const list = JSON.parse(raw) as ListJson;
        assert.match(list.mediaType, format === 'oci' ? /oci/ : /docker/);
        assert.equal(
          list.manifests.map(({ platform }) => platform['architecture']),
          [process.arch === 'arm64' ? 'arm64' : 'amd64', 's390x'],
        );
      }
      const zstd = `${address}/multi:zstd`;
      const pushed = await tsman('manifest', 'push', '--compression-format=zstd', 'multi', zstd);
      assert.is(pushed.exitCode, 0, pushed.stderr);
      const image = await runProgram('skopeo', [
        'inspect',
        '--no-creds',
        '--tls-verify=false',
        '--raw',
        '--override-arch=s390x',
        `docker://${address}/multi@${await memberDigest(zstd, 's390x')}`,
      ]);
      const { layers } = JSON.parse(image) as { layers: { mediaType: string }[] };
      assert.ok(
        layers.every(({ mediaType }) => mediaType.endsWith('+zstd')),
        image,
      );
      const other = await runProgram('skopeo', [
        'inspect',
        '--no-creds',
        '--tls-verify=false',
        '--override-arch=s390x',
        '--format={{.Labels.other}}',
        `docker://${address}/multi:oci`,
      ]);
      assert.is(other.trim(), '1');
      const again = await tsman(
        'manifest',
        'create',
        '--all',
        'again',
        `docker://${address}/multi:oci`,
      );
      assert.is(again.exitCode, 0, again.stderr);
      assert.is((await inspect(tsman, 'again')).manifests.length, 2);
    }),
  ),
);

test.run();
