import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsmanError } from '../../src/base/error.ts';
import { hasBlob } from '../../src/storage/blobs.ts';
import { hasLayer, ingestLayer, type LayerTarget } from '../../src/storage/layers.ts';
import {
  inChunks,
  ingest,
  layerSource,
  rawTar,
  sha256,
  withLayerTarget,
} from '../support/layer-fixtures.ts';

const test = suite('hostile layers');
const GOOD = rawTar({ name: 'file', content: 'x' });

/** The layer is refused in one clear line, nothing of it stays, and the store still works. */
async function refuses(
  target: LayerTarget,
  blob: Buffer,
  message: RegExp,
  layer = layerSource(blob, blob),
): Promise<void> {
  const error = await ingestLayer(target, inChunks(blob), layer).then(
    () => assert.unreachable(`accepted, want ${message}`),
    (cause: unknown) => cause,
  );
  assert.instance(error, TsmanError, String(error));
  assert.match(whole(error), message);
  assert.not.ok(hasLayer(target.storage, layer.diffID));
  assert.not.ok(hasBlob(target.storage, layer.descriptor.digest));
  const { dataRoot } = target.storage.directories;
  for (const name of ['layers', 'trash', 'ingest'])
    assert.equal(fs.readdirSync(join(dataRoot, name)), [], name);
}

function whole(error: unknown): string {
  return error instanceof Error ? `${error.message} ${whole(error.cause)}` : '';
}

test('stay inside with absolute paths', () =>
  withLayerTarget(async (target, scratch) => {
    const entries = await ingest(target, rawTar({ name: `${scratch}/outside`, content: 'x' }));
    assert.ok(entries.has(`${scratch.slice(1)}/outside`));
    assert.not.ok(fs.existsSync(join(scratch, 'outside')));
  }));

test('are refused when .. leads out', () =>
  withLayerTarget(async (target) => {
    for (const name of ['../outside', 'a/../../outside', '/..', './../x/.wh.y'])
      await refuses(target, rawTar({ name, content: 'x' }), /leads out of the root/);
    await refuses(
      target,
      rawTar({ name: 'x', type: '1', link: '../../../etc/passwd' }),
      /leads out of the root/,
    );
  }));

test('stay inside when they write through symbolic links', () =>
  withLayerTarget(async (target, scratch) => {
    const up = '../'.repeat(10);
    const entries = await ingest(
      target,
      rawTar(
        { name: scratch.slice(1), type: '5' },
        { name: 'absolute', type: '2', link: scratch },
        { name: 'absolute/one', content: 'x' },
        { name: 'relative', type: '2', link: `${up}${scratch.slice(1)}` },
        { name: 'relative/two', content: 'x' },
        { name: 'dir/', type: '5' },
        { name: 'dir/before', content: 'x' },
        { name: 'dir', type: '2', link: scratch },
        { name: 'dir/three', content: 'x' },
      ),
    );
    for (const name of ['one', 'two', 'three']) {
      assert.not.ok(fs.existsSync(join(scratch, name)), name);
      assert.ok(entries.has(`${scratch.slice(1)}/${name}`), name);
    }
  }));

test('do not write through a link in the place of the file itself', () =>
  withLayerTarget(async (target, scratch) => {
    fs.writeFileSync(join(scratch, 'victim'), 'intact');
    const victim = join(scratch, 'victim');
    const entries = await ingest(
      target,
      rawTar({ name: 'f', type: '2', link: victim }, { name: 'f', content: 'new' }),
    );
    assert.is(entries.get('f')?.mode, 0o100644);
    assert.is(fs.readFileSync(victim, 'utf8'), 'intact');
  }));

test('cannot link to a file outside', () =>
  withLayerTarget(async (target, scratch) => {
    fs.writeFileSync(join(scratch, 'secret'), 'x', { mode: 0o600 });
    const secret = join(scratch, 'secret');
    await refuses(target, rawTar({ name: 'x', type: '1', link: secret }), /\(ENOENT\)/);
    const hop = { name: 'out', type: '2', link: scratch };
    const tar = rawTar(hop, { name: 'x', type: '1', link: 'out/secret' });
    await refuses(target, tar, /\(ENOENT\)/);
    assert.is(fs.statSync(secret).nlink, 1);
  }));

test('are refused with a whiteout of nothing, . or ..', () =>
  withLayerTarget(async (target) => {
    for (const name of ['.wh.', '.wh..', '.wh...', 'a/.wh...'])
      await refuses(target, rawTar({ name }), /invalid whiteout/);
  }));

test('are refused with sizes the archive does not have', () =>
  withLayerTarget(async (target) => {
    const huge = rawTar({ name: 'x', pax: { size: '9007199254740991' } });
    await refuses(target, huge, /declares more than/);
    await refuses(target, rawTar({ name: 'x', size: 8 ** 10 }), /truncated/);
    await refuses(target, rawTar({ name: 'x', pax: { size: '-1' } }), /invalid pax header/);
    const header = Buffer.from(rawTar({ name: 'x', type: 'x', size: 2 ** 30 }));
    await refuses(target, header, /extended header of/);
  }));

test('are refused with broken sparse maps', () =>
  withLayerTarget(async (target) => {
    const base = { 'GNU.sparse.size': '100', 'GNU.sparse.name': 'x' };
    for (const map of ['50,60', '10,5,0,5', '0,1,1', '0,-1', '0,99999999999999999999']) {
      const tar = rawTar({ name: 'x', pax: { ...base, 'GNU.sparse.map': map }, content: '12345' });
      await refuses(target, tar, /sparse map/);
    }
  }));

test('are refused when what is compressed is truncated, damaged or followed by garbage', () =>
  withLayerTarget(async (target) => {
    const garbage = Buffer.from('garbage, and more of it');
    const packed = ['xz', 'bzip2'].map((it) => execFileSync(it, ['-c'], { input: GOOD }));
    for (const blob of [gzipSync(GOOD), zstdCompressSync(GOOD), ...packed]) {
      const damaged = Buffer.from(blob);
      damaged.fill(0xff, 20, 24);
      for (const bad of [blob.subarray(0, -3), Buffer.concat([blob, garbage]), damaged])
        await refuses(target, bad, /decompress|zstd stream|tar|digest/, layerSource(bad, GOOD));
    }
  }));

test('are refused when digest, size or diffID differ', () =>
  withLayerTarget(async (target) => {
    const right = layerSource(GOOD, GOOD);
    const other = sha256(Buffer.from('other'));
    const { descriptor, diffID } = right;
    const says = (change: object) => ({ diffID, descriptor: { ...descriptor, ...change } });
    await refuses(target, GOOD, /digest/, says({ digest: other }));
    await refuses(target, GOOD, /bytes/, says({ size: GOOD.length + 1 }));
    await refuses(target, GOOD, /more than/, says({ size: GOOD.length - 1 }));
    await refuses(target, GOOD, /digest/, { descriptor, diffID: other });
  }));

test('are refused when they are a decompression bomb', () =>
  withLayerTarget(async (target) => {
    // 2.5 GiB of zeros after the archive's end, so that the test itself writes little.
    const member = gzipSync(Buffer.alloc(64 << 20), { level: 9 });
    const bomb = Buffer.concat(Array.from({ length: 40 }, () => member));
    const head = gzipSync(GOOD);
    await refuses(target, Buffer.concat([head, bomb]), /decompression bomb/);
  }));

test('may nest as deep as a path allows', () =>
  withLayerTarget(async (target) => {
    await refuses(target, rawTar({ name: 'x', pax: { path: 'd/'.repeat(20_000) } }), /a path of/);
    const deep = 'd/'.repeat(5_000);
    const entries = await ingest(target, rawTar({ name: 'x', pax: { path: `${deep}f` } }));
    assert.is(entries.size, 5_002);
  }));

test('are refused when they are no tar archive, or have entries of unknown type', () =>
  withLayerTarget(async (target) => {
    await refuses(target, Buffer.from('no tar archive at all '.repeat(50)), /wrong checksum/);
    await refuses(target, GOOD.subarray(0, 300), /truncated/);
    await refuses(target, rawTar({ name: 'x', type: 'V' }), /unknown type/);
    await refuses(target, rawTar({ name: '.', content: 'x' }), /no directory/);
  }));

test('are refused with owners that the user has no id for', () =>
  withLayerTarget(async (target) => {
    if (target.userns.kind !== 'map') return;
    const tar = rawTar({ name: 'x', pax: { uid: '2000000000' } });
    await refuses(target, tar, /uid 2000000000: x/);
    await refuses(target, rawTar({ name: 'x', pax: { gid: '4294967295' } }), /impossible owner/);
  }));

test.run();
