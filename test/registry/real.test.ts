import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../src/oci/digest.ts';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import { readBlob } from '../../src/registry/blobs.ts';
import { listRepositories, listTags, ping } from '../../src/registry/listing.ts';
import { fetchManifest, headManifest, putManifest } from '../../src/registry/manifests.ts';
import type { RegistrySession } from '../../src/registry/session.ts';
import { hasRemoteBlob, uploadBlob } from '../../src/registry/upload.ts';
import { startRegistry, withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { failureOf, withSession } from '../support/session.ts';

const test = suite('a real registry');
const real = requires(test, 'docker-registry');

function source(bytes: Uint8Array) {
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  async function* open() {
    for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
  }
  return { digest, size: bytes.length, open };
}

async function pushSmallImage(
  session: RegistrySession,
  repository: string,
  tag: string,
): Promise<Digest> {
  const config = source(Buffer.from('{}'));
  await uploadBlob(session, repository, config);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: config.digest, size: config.size },
    layers: [],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await putManifest(session, repository, tag, { bytes, mediaType: MEDIA_TYPE.ociManifest });
  return source(bytes).digest;
}

real('takes blobs in one piece and in chunks, mounts them, and gives back any part', () =>
  withRegistry({}, ({ address }) =>
    withSession(address, {}, async (session) => {
      const bytes = randomBytes(1_000_000);
      const blob = source(bytes);
      assert.is(await hasRemoteBlob(session, 'a/one', blob.digest), false);
      assert.is(await uploadBlob(session, 'a/one', blob), 'uploaded');
      assert.is(await hasRemoteBlob(session, 'a/one', blob.digest), true);
      assert.is(await uploadBlob(session, 'b', blob, { mountFrom: 'a/one' }), 'mounted');
      const other = source(randomBytes(700_000));
      assert.is(
        await uploadBlob(session, 'a/one', other, { chunkBytes: 300_000, mountFrom: 'nowhere' }),
        'uploaded',
      );
      const tail = await Array.fromAsync(readBlob(session, { repository: 'b', ...blob }, 999_000));
      assert.equal(Buffer.concat(tail), bytes.subarray(999_000));
    }),
  ),
);

real('gives manifests by tag and digest, and lists tags and repositories', () =>
  withRegistry({}, ({ address }) =>
    withSession(address, {}, async (session) => {
      const digest = await pushSmallImage(session, 'team/web', '1');
      assert.is((await fetchManifest(session, 'team/web', '1')).digest, digest);
      assert.is(
        (await fetchManifest(session, 'team/web', digest)).mediaType,
        MEDIA_TYPE.ociManifest,
      );
      assert.is(await headManifest(session, 'team/web', '1'), digest);
      assert.is(await headManifest(session, 'team/web', '2'), undefined);
      assert.equal(await Array.fromAsync(listTags(session, 'team/web')), ['1']);
      assert.equal(await Array.fromAsync(listRepositories(session)), ['team/web']);
      assert.match(
        (await failureOf(fetchManifest(session, 'team/web', '2'))).message,
        /404 not found: MANIFEST_UNKNOWN/,
      );
    }),
  ),
);

real('wants the right user and password', () => {
  const credentials = { username: 'user', password: 'pass:word' };
  return withRegistry({ htpasswd: credentials }, async ({ address }) => {
    await withSession(address, { credentials }, async (session) => {
      await ping(session);
      await pushSmallImage(session, 'x', '1');
    });
    assert.match(
      (await failureOf(withSession(address, {}, ping))).message,
      /401 authentication required/,
    );
    const wrong = { credentials: { username: 'user', password: 'no' } };
    assert.match((await failureOf(withSession(address, wrong, ping))).message, /401/);
  });
});

real('with TLS is trusted by its CA and by nothing less', () =>
  withRegistry({ tls: true }, async ({ address, certDirectory }) => {
    const ca = readFileSync(join(certDirectory, 'ca.crt'), 'utf8');
    await withSession(address, { ca }, ping);
    await withSession(address, { verify: false }, ping);
    const error = await failureOf(withSession(address, { retries: 0 }, ping));
    assert.match(error.message, /is signed by an unknown authority/);
    assert.match(error.hint ?? '', new RegExp(`certs.d/${address}/ca.crt`));
  }),
);

real(
  'with a certificate that expired or names another host is refused by that reason',
  async () => {
    for (const [tls, reason] of [
      ['expired', /has expired/],
      ['wrong-name', /is for another name/],
    ] as const) {
      const registry = await startRegistry({ tls });
      try {
        const ca = readFileSync(join(registry.certDirectory, 'ca.crt'), 'utf8');
        assert.match(
          (await failureOf(withSession(registry.address, { ca }, ping))).message,
          reason,
        );
      } finally {
        await registry.stop();
      }
    }
  },
);

test('that does not listen, or does not exist, is told so', async () => {
  assert.match(
    (await failureOf(withSession('127.0.0.1:1', {}, ping))).message,
    /refused \(ECONNREFUSED\)/,
  );
  assert.match(
    (await failureOf(withSession('nohost.invalid', { retries: 0 }, ping))).message,
    /no such host|cannot look up/,
  );
});

test.run();
