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
  readonly manifests: {
    readonly digest: string;
    readonly platform: Readonly<Record<string, unknown>>;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

async function inspect(tsman: Tsman, name: string): Promise<ListJson> {
  return JSON.parse((await tsman('manifest', 'inspect', name)).stdout);
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
