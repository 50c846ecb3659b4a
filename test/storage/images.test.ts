import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../src/oci/digest.ts';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import { BlobWriter, blobPath, writeSmallBlob } from '../../src/storage/blobs.ts';
import { collectGarbage, collectIfLeft } from '../../src/storage/garbage.ts';
import { putImage } from '../../src/storage/image-put.ts';
import {
  findImage,
  type ImageRecord,
  listImages,
  removeImage,
  tagImage,
  untagImage,
} from '../../src/storage/images.ts';
import { withIngest } from '../../src/storage/leases.ts';
import { openStorage, type Storage } from '../../src/storage/storage.ts';

const test = suite('the image store');
const NO_USERNS = { kind: 'none', uidMappings: [], gidMappings: [] } as const;

async function withStorage(body: (storage: Storage) => Promise<void> | void): Promise<void> {
  const dataRoot = mkdtempSync('/tmp/tsman-images-');
  const storage = openStorage({ dataRoot, runRoot: join(dataRoot, 'run') });
  try {
    await body(storage);
  } finally {
    storage.database.close();
    rmSync(dataRoot, { recursive: true });
  }
}

function digestOf(content: string): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** An image whose one layer is text; the store looks at names and digests only. */
function putSample(
  storage: Storage,
  content: string,
  names: string[],
  created = '2024-01-01T00:00:00Z',
): ImageRecord {
  const layer = Buffer.from(content);
  const digest = writeSmallBlob(storage, layer);
  mkdirSync(join(storage.directories.dataRoot, 'layers', digest.slice(7)), { recursive: true });
  const configBytes = Buffer.from(
    JSON.stringify({
      created,
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [digest] },
    }),
  );
  const config = {
    mediaType: MEDIA_TYPE.ociConfig,
    digest: digestOf(configBytes.toString()),
    size: configBytes.length,
  };
  const manifest = {
    schemaVersion: 2,
    config,
    layers: [{ mediaType: MEDIA_TYPE.ociLayer, digest, size: layer.length }],
  };
  return putImage(storage, {
    manifestBytes: Buffer.from(JSON.stringify(manifest)),
    manifestType: MEDIA_TYPE.ociManifest,
    configBytes,
    names,
  });
}

test('finds images by name, short name, digest and the beginning of the ID', () =>
  withStorage((storage) => {
    const image = putSample(storage, 'a', [
      'docker.io/library/debian:12',
      'localhost:5000/x/web:latest',
    ]);
    const found = [
      'debian:12',
      'docker.io/library/debian:12',
      'x/web',
      'localhost:5000/x/web',
      image.id,
      `sha256:${image.id}`,
      image.id.slice(0, 4),
      `debian@${image.manifestDigest}`,
    ];
    for (const text of found) assert.is(findImage(storage, text)?.id, image.id, text);
    for (const text of [
      'debian',
      'debian:13',
      'localhost:5000/debian:12',
      `other@${image.manifestDigest}`,
    ])
      assert.is(findImage(storage, text), undefined, text);
    assert.throws(() => findImage(storage, 'no such'), /invalid reference/);
  }));

test('prefers what was made here, and refuses to guess between registries', () =>
  withStorage((storage) => {
    putSample(storage, 'a', ['docker.io/library/web:latest']);
    const local = putSample(storage, 'b', ['localhost/web:latest', 'one.example/only:latest']);
    putSample(storage, 'c', ['one.example/both:latest']);
    putSample(storage, 'd', ['two.example/both:latest']);
    assert.is(findImage(storage, 'web')?.id, local.id);
    assert.is(findImage(storage, 'only')?.id, local.id);
    assert.throws(() => findImage(storage, 'both'), /one\.example\/both:latest or two\.example/);
  }));

test('moves a name, and leaves the image that had it dangling', () =>
  withStorage((storage) => {
    const first = putSample(storage, 'a', ['localhost/web:latest']);
    const second = putSample(storage, 'b', ['localhost/web:latest']);
    assert.equal(findImage(storage, first.id)?.names, []);
    tagImage(storage, first, 'localhost/old:latest');
    untagImage(storage, second, ['localhost/web:latest', 'localhost/old:latest']);
    assert.is(findImage(storage, 'web'), undefined);
    assert.is(findImage(storage, 'old')?.id, first.id);
    const index = JSON.parse(
      readFileSync(join(storage.directories.dataRoot, 'images/index.json'), 'utf8'),
    );
    const names = index.manifests.map(
      (it: { annotations?: Record<string, string> }) =>
        it.annotations?.['org.opencontainers.image.ref.name'],
    );
    assert.equal(names, ['localhost/old:latest', undefined]);
  }));

test('upgrades a store of schema 5, where an image had one manifest', () => {
  const dataRoot = mkdtempSync('/tmp/tsman-upgrade-');
  const open = (): Storage => openStorage({ dataRoot, runRoot: join(dataRoot, 'run') });
  const schemaOf = ({ database }: Storage): unknown[] =>
    database.prepare('SELECT type, name, sql FROM sqlite_master ORDER BY name').all();
  try {
    const fresh = open();
    const image = putSample(fresh, 'a', ['localhost/b:1', 'localhost/a:1']);
    const wanted = schemaOf(fresh);
    fresh.database.exec(SCHEMA_5);
    fresh.database
      .prepare("INSERT INTO images VALUES (?, ?, ?, 7, 9, '2024-01-01T00:00:00Z', '')")
      .run(image.id, image.manifestDigest, image.manifestType);
    for (const name of image.names)
      fresh.database.prepare('INSERT INTO image_names VALUES (?, ?)').run(name, image.id);
    for (const { diffID, digest } of image.layers)
      fresh.database
        .prepare('INSERT INTO image_layers VALUES (?, 0, ?, ?)')
        .run(image.id, diffID, digest);
    fresh.database.close();
    const upgraded = open();
    assert.equal(schemaOf(upgraded), wanted);
    assert.equal(listImages(upgraded), [{ ...image, sizeBytes: 9 }]);
    upgraded.database.close();
  } finally {
    rmSync(dataRoot, { recursive: true });
  }
});

/** The tables of images as they were. */
const SCHEMA_5 = `
DROP INDEX containers_auto_removed;
DROP TABLE image_layers; DROP TABLE image_names; DROP TABLE image_manifests; DROP TABLE images;
CREATE TABLE images (id TEXT PRIMARY KEY, manifest_digest TEXT NOT NULL, manifest_type TEXT NOT NULL,
  manifest_bytes INTEGER NOT NULL, size_bytes INTEGER NOT NULL, created_at TEXT NOT NULL,
  loaded_at TEXT NOT NULL) STRICT;
CREATE TABLE image_names (name TEXT PRIMARY KEY,
  image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE) STRICT;
CREATE INDEX image_names_by_image ON image_names(image_id);
CREATE TABLE image_layers (image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
  position INTEGER NOT NULL, diff_id TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (image_id, position)) STRICT;
CREATE INDEX image_layers_by_diff_id ON image_layers(diff_id);
PRAGMA user_version=5;
`;

test('lists the newest first', () =>
  withStorage((storage) => {
    putSample(storage, 'a', ['localhost/a:1'], '2023-01-01T00:00:00Z');
    putSample(storage, 'b', ['localhost/b:1'], '2025-01-01T00:00:00+01:00');
    assert.equal(
      listImages(storage).map((image) => image.names[0]),
      ['localhost/b:1', 'localhost/a:1'],
    );
  }));

test('refuses an image whose layer is missing', () =>
  withStorage((storage) => {
    const image = putSample(storage, 'a', []);
    rmSync(join(storage.directories.dataRoot, 'layers', (image.layers[0]?.diffID ?? '').slice(7)), {
      recursive: true,
    });
    const configBytes = readFileSync(blobPath(storage, `sha256:${image.id}`));
    const manifestBytes = readFileSync(blobPath(storage, image.manifestDigest));
    assert.throws(
      () =>
        putImage(storage, {
          configBytes,
          manifestBytes,
          manifestType: image.manifestType,
          names: [],
        }),
      /is not in the store/,
    );
  }));

test('does not remove an image that a container uses', () =>
  withStorage((storage) => {
    const image = putSample(storage, 'a', ['localhost/a:1']);
    storage.database
      .prepare("INSERT INTO containers VALUES ('c1', 'web', ?, '', 0, '{}')")
      .run(image.id);
    assert.throws(() => removeImage(storage, image), /used by container c1/);
    assert.is(listImages(storage).length, 1);
  }));

test('leaves content alone while something is being loaded, and collects afterwards', () =>
  withStorage(async (storage) => {
    const kept = putSample(storage, 'kept', ['localhost/a:1']);
    const gone = putSample(storage, 'gone', []);
    const target = { storage, userns: NO_USERNS };
    removeImage(storage, gone);
    await withIngest(storage, async () => {
      assert.is((await collectGarbage(target)).isDeferred, true);
      assert.ok(existsSync(blobPath(storage, gone.manifestDigest)));
      // The loader wants the layer that has just lost its name.
      assert.is(putSample(storage, 'gone', ['localhost/b:1']).id, gone.id);
    });
    await collectIfLeft(target);
    assert.ok(existsSync(blobPath(storage, gone.manifestDigest)));
    assert.ok(existsSync(blobPath(storage, kept.manifestDigest)));
  }));

test('counts a lease of a dead process for nothing', () =>
  withStorage(async (storage) => {
    storage.database.exec(
      "INSERT INTO leases (kind, pid, start_time) VALUES ('ingest', 1, '42'), ('collect', 1, '43')",
    );
    const orphan = writeSmallBlob(storage, Buffer.from('orphan'));
    const collected = await collectGarbage({ storage, userns: NO_USERNS });
    assert.equal([collected.isDeferred, collected.blobs], [false, 1]);
    assert.not(existsSync(blobPath(storage, orphan)));
  }));

test('gives a blob its name only when size and digest are right', () =>
  withStorage(async (storage) => {
    const good = new BlobWriter(storage, { digest: digestOf('abc'), sizeBytes: 3 });
    good.write(Buffer.from('abc'));
    assert.is(await good.finish(), digestOf('abc'));
    const long = new BlobWriter(storage, { sizeBytes: 2 });
    assert.throws(() => long.write(Buffer.from('abc')), /more than the 2 bytes/);
    const short = new BlobWriter(storage, { sizeBytes: 4 });
    short.write(Buffer.from('abc'));
    const wrong = new BlobWriter(storage, { digest: digestOf('x') });
    wrong.write(Buffer.from('abc'));
    for (const [writer, why] of [
      [short, /ended after 3 of 4/],
      [wrong, /content has digest/],
    ] as const) {
      const error = await writer.finish().then(
        () => undefined,
        (reason: Error) => reason,
      );
      assert.match(error?.message ?? '', why);
      writer.abort();
      assert.not(existsSync(writer.path));
    }
    long.abort();
  }));

test.run();
