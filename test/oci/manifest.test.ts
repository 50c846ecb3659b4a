import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImageConfig } from '../../src/oci/config.ts';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import { parseAnyManifest, parseManifest } from '../../src/oci/manifest.ts';

const test = suite('manifests and configs from strangers');
const digest = `sha256:${'a'.repeat(64)}`;
const config = { mediaType: MEDIA_TYPE.ociConfig, digest, size: 2 };
const layer = { mediaType: MEDIA_TYPE.ociLayerGzip, digest, size: 3 };
const rootfs = { type: 'layers', diff_ids: [digest] };

function bytes(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

test('are read', () => {
  const manifest = parseManifest(
    bytes({ schemaVersion: 2, config, layers: [layer], annotations: { a: 'b' } }),
  );
  assert.is(manifest.layers[0]?.size, 3);
  assert.equal(manifest.annotations, { a: 'b' });
  const index = parseAnyManifest(
    bytes({
      schemaVersion: 2,
      manifests: [{ ...config, platform: { os: 'linux', architecture: 'arm64' } }],
    }),
  );
  assert.is(index.kind, 'index');
});

test('are refused in one line', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{', /not JSON/],
    ['[]', /not an object/],
    [`${'['.repeat(100)}${']'.repeat(100)}`, /nested/],
    [{ schemaVersion: 2, manifests: [], layers: [], config }, /CVE-2021-41190/],
    [{ schemaVersion: 1, layers: [] }, /schema 1/],
    [{ schemaVersion: 3 }, /schemaVersion/],
    [{ schemaVersion: 2, config }, /layers is not a list/],
    [
      { schemaVersion: 2, config: { ...config, digest: 'sha256:../../x' }, layers: [] },
      /config\.digest/,
    ],
    [{ schemaVersion: 2, config: { ...config, size: -1 }, layers: [] }, /config\.size/],
    [{ schemaVersion: 2, config, layers: [{ ...layer, size: 1e30 }] }, /layers\[0\]\.size/],
    [{ schemaVersion: 2, config, layers: Array(501).fill(layer) }, /501 entries/],
    [{ schemaVersion: 2, config, layers: [], mediaType: 'text/html' }, /unknown manifest type/],
    [{ schemaVersion: 2, config, layers: [], annotations: { a: 1 } }, /annotations\.a/],
    [Buffer.alloc((4 << 20) + 1, 0x20).toString(), /limit/],
  ];
  for (const [document, why] of cases)
    assert.throws(
      () => parseManifest(bytes(document)),
      (error: Error) => why.test(error.message) && !error.message.includes('\n'),
    );
});

test('must be what their descriptor says', () => {
  const index = bytes({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [] });
  assert.throws(() => parseAnyManifest(index, MEDIA_TYPE.ociManifest), /says it is/);
});

test('a config is read, and unknown keys are left out', () => {
  const parsed = parseImageConfig(
    bytes({
      os: 'linux',
      architecture: 'amd64',
      config: { Cmd: ['x'], Env: ['A='], Odd: 1, Entrypoint: null },
      rootfs,
    }),
  );
  assert.equal(parsed.config, { Env: ['A='], Cmd: ['x'] });
});

test('a config with wrong types is refused', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ config: { Env: ['NOVALUE'] }, rootfs }, /config\.Env\[0\]/],
    [{ config: { Env: 'A=1' }, rootfs }, /config\.Env/],
    [{ config: { Cmd: 'sh' }, rootfs }, /config\.Cmd/],
    [{ config: { User: 0 }, rootfs }, /config\.User/],
    [{ config: { Labels: ['a'] }, rootfs }, /config\.Labels/],
    [{ history: [{ empty_layer: 'yes' }], rootfs }, /history\[0\]/],
    [{ rootfs: { diff_ids: ['sha256:zz'] } }, /rootfs\.diff_ids\[0\]/],
    [{}, /rootfs/],
  ];
  for (const [document, why] of cases) assert.throws(() => parseImageConfig(bytes(document)), why);
});

test.run();
