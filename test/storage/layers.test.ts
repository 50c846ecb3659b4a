import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasBlob } from '../../src/storage/blobs.ts';
import { layerDifference, replaceLayer } from '../../src/storage/layer-check.ts';
import {
  hasLayer,
  ingestLayer,
  layerPath,
  removeLayer,
  sweepLeftovers,
  unpackStoredLayer,
} from '../../src/storage/layers.ts';
import {
  inChunks,
  ingest,
  layerSource,
  rawTar,
  readTreeFile,
  withLayerTarget,
} from '../support/layer-fixtures.ts';

const test = suite('layers');
const SMALL = rawTar(
  { name: './', type: '5', mode: 0o755 },
  { name: 'etc/', type: '5', mtime: 1_600_000_000 },
  { name: 'etc/issue', content: 'hello\n', mode: 0o640, uid: 5, gid: 6 },
);

test('keep type, owner, mode, time and content', () =>
  withLayerTarget(async (target) => {
    const entries = await ingest(target, SMALL);
    assert.equal([...entries.keys()], ['', 'etc', 'etc/issue']);
    const issue = entries.get('etc/issue');
    assert.is(issue?.mode, 0o100640);
    assert.equal([issue?.uid, issue?.gid, issue?.sizeBytes], [5, 6, 6]);
    assert.is(issue?.mtime.seconds, 1_700_000_000);
    assert.is(entries.get('etc')?.mtime.seconds, 1_600_000_000, 'set after the content was made');
  }));

test('come as gzip of several members, zstd of several frames, xz, bzip2, or plain', () =>
  withLayerTarget(async (target) => {
    const halves = [SMALL.subarray(0, 700), SMALL.subarray(700)];
    const skippable = Buffer.from('502a4d180400000061626364', 'hex');
    const blobs = [
      SMALL,
      Buffer.concat(halves.map((half) => gzipSync(half))),
      Buffer.concat([skippable, ...halves.map((half) => zstdCompressSync(half)), skippable]),
      execFileSync('xz', ['-c'], { input: SMALL }),
      execFileSync('bzip2', ['-c'], { input: SMALL }),
    ];
    for (const blob of blobs) {
      const layer = layerSource(blob, SMALL);
      await ingestLayer(target, inChunks(blob, 7), layer);
      assert.ok(hasLayer(target.storage, layer.diffID));
      assert.ok(hasBlob(target.storage, layer.descriptor.digest));
      await removeLayer(target, layer.diffID);
    }
  }));

test('are unpacked again from the stored blob', () =>
  withLayerTarget(async (target) => {
    const layer = layerSource(gzipSync(SMALL), SMALL);
    await ingestLayer(target, inChunks(gzipSync(SMALL)), layer);
    await removeLayer(target, layer.diffID);
    assert.not.ok(hasLayer(target.storage, layer.diffID));
    await unpackStoredLayer(target, layer);
    const path = layerPath(target.storage, layer.diffID);
    assert.is(`${await readTreeFile(target, path, 'etc/issue')}`, 'hello\n');
  }));

test('turn whiteouts and opaque markers into what overlay knows', () =>
  withLayerTarget(async (target) => {
    const entries = await ingest(
      target,
      rawTar(
        { name: 'a/.wh.gone' },
        { name: 'b/.wh..wh..opq' },
        { name: 'b/', type: '5', mode: 0o700 },
        { name: '.wh.again' },
        { name: 'again/', type: '5' },
        { name: '.wh..wh.plnk' },
      ),
    );
    const gone = entries.get('a/gone');
    assert.is((gone?.mode ?? 0) & 0o170000, 0o020000);
    assert.equal([gone?.deviceMajor, gone?.deviceMinor], [0, 0]);
    for (const name of ['b', 'again'])
      assert.equal(`${entries.get(name)?.xattrs[0]?.name}`, 'user.overlay.opaque', name);
    assert.is(entries.get('b')?.mode, 0o040700);
    assert.not.ok(entries.has('.wh..wh.plnk'));
  }));

test('keep hard links across directories and setuid bits', () =>
  withLayerTarget(async (target) => {
    const entries = await ingest(
      target,
      rawTar(
        { name: 'bin/su', content: 'x', mode: 0o6755, uid: 1, gid: 2 },
        { name: 'sbin/su', type: '1', link: 'bin/su', size: 77 },
        { name: 'closed', type: '5', mode: 0, uid: 7 },
      ),
    );
    assert.is(entries.get('bin/su')?.mode, 0o106755);
    assert.is(entries.get('bin/su')?.inode, entries.get('sbin/su')?.inode);
    assert.is(entries.get('closed')?.mode, 0o040000);
  }));

test('keep names that are not UTF-8, hold newlines, or are longer than PATH_MAX', () =>
  withLayerTarget(async (target) => {
    const long = `${'d/'.repeat(3000)}end`;
    const entries = await ingest(
      target,
      rawTar(
        { name: 'raw\xff\xfe', content: '1' },
        { name: 'x', pax: { path: 'pax\xff\nname' }, content: '2' },
        { name: 'x', pax: { path: long }, content: '3' },
      ),
    );
    for (const name of ['raw\xff\xfe', 'pax\xff\nname', long]) assert.ok(entries.has(name));
  }));

test('keep binary extended attributes and fractions of seconds, drop those that steer overlay', () =>
  withLayerTarget(async (target) => {
    const capability = `\x01\x00\x00\x02\x00\x20\x00\x00${'\x00'.repeat(12)}`;
    const entries = await ingest(
      target,
      rawTar({
        name: 'ping',
        mode: 0o755,
        uid: 3,
        pax: {
          mtime: '1234567890.987654321',
          'SCHILY.xattr.security.capability': capability,
          'SCHILY.xattr.user.bytes': '\x80=\n\xff',
          'SCHILY.xattr.user.overlay.redirect': '/etc',
          'SCHILY.xattr.trusted.overlay.opaque': 'y',
          'SCHILY.xattr.security.selinux': 'x',
        },
      }),
    );
    const ping = entries.get('ping');
    const xattrs = new Map(ping?.xattrs.map((it) => [`${it.name}`, it.value.toString('latin1')]));
    assert.equal([...xattrs.keys()].sort(), ['security.capability', 'user.bytes']);
    assert.is(xattrs.get('security.capability'), capability);
    assert.is(xattrs.get('user.bytes'), '\x80=\n\xff');
    assert.equal(ping?.mtime, { seconds: 1234567890, nanoseconds: 987654321 });
  }));

test('keep access control lists that tar wrote as text, and say when one cannot be kept', () =>
  withLayerTarget(async (target) => {
    const warnings: string[] = [];
    const acl = (text: string) => ({ 'SCHILY.acl.access': text });
    const entries = await ingest(
      { ...target, warn: (text) => warnings.push(text) },
      rawTar(
        {
          name: 'dir/',
          type: '5',
          pax: {
            ...acl('group::r-x,user:7:r--,user::rwx,mask::r-x,other::---'),
            'SCHILY.acl.default':
              'user::rwx\ngroup:staff:rw-:50\ngroup::r--\nmask::rw-\nother::---\n',
          },
        },
        { name: 'named', pax: acl('user::rw-,user:lisa:rw-,group::r--,mask::rw-,other::r--') },
        { name: 'no-mask', pax: acl('user::rw-,user:7:rw-,group::r--,other::r--') },
        { name: 'broken', pax: acl('hello') },
      ),
    );
    const lists = (name: string): string[] =>
      (entries.get(name)?.xattrs ?? []).map(
        (it) => `${it.name} ${it.value.subarray(4).toString('hex').match(/.{16}/g)?.join(' ')}`,
      );
    const none = 'ffffffff';
    assert.equal(lists('dir').sort(), [
      `system.posix_acl_access 01000700${none} 0200040007000000 04000500${none} 10000500${none} 20000000${none}`,
      `system.posix_acl_default 01000700${none} 04000400${none} 0800060032000000 10000600${none} 20000000${none}`,
    ]);
    assert.is(entries.get('dir')?.mode, 0o40750);
    for (const name of ['named', 'no-mask', 'broken']) assert.equal(lists(name), []);
    assert.is(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^layer [0-9a-f]{12}: 3 access control lists /);
  }));

test('keep holes of sparse files', () =>
  withLayerTarget(async (target) => {
    const map = '2\n0\n3\n50000000\n3\n';
    const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'sparse' };
    const tar = rawTar({
      name: 'GNUSparseFile.0/sparse',
      pax: { ...pax, 'GNU.sparse.realsize': '100000000' },
      content: `${map.padEnd(512, '\0')}onetwo`,
    });
    const sparse = (await ingest(target, tar)).get('sparse');
    assert.is(sparse?.sizeBytes, 100_000_000);
    assert.ok((sparse?.blocks ?? 0) * 512 < 1_000_000);
    const path = layerPath(target.storage, layerSource(tar, tar).diffID);
    const content = await readTreeFile(target, path, 'sparse');
    assert.is(`${content.subarray(0, 3)}${content.subarray(50_000_000, 50_000_003)}`, 'onetwo');
  }));

test('leave out devices where a user namespace forbids them, keep fifos', () =>
  withLayerTarget(async (target) => {
    const entries = await ingest(
      target,
      rawTar(
        { name: 'fifo', type: '6', mode: 0o640, uid: 4 },
        { name: 'white', type: '3', device: [0, 0] },
        { name: 'null', type: '3', device: [1, 3] },
      ),
    );
    assert.is(entries.get('fifo')?.mode, 0o010640);
    assert.not.ok(entries.has('white'), 'a device 0:0 would be a whiteout');
    assert.is(entries.has('null'), target.userns.kind === 'none');
  }));

test('hold 100,000 files in one directory', () =>
  withLayerTarget(async (target) => {
    const files = Array.from({ length: 100_000 }, (_, i) => ({ name: `many/file-${i}` }));
    assert.is((await ingest(target, rawTar(...files))).size, 100_002);
  }));

test('are stored once by two writers at the same time', () =>
  withLayerTarget(async (target) => {
    const layer = layerSource(SMALL, SMALL);
    await Promise.all([1, 2, 3].map(() => ingestLayer(target, inChunks(SMALL, 100), layer)));
    const names = fs.readdirSync(join(target.storage.directories.dataRoot, 'layers'));
    assert.equal(names, [layer.diffID.slice(7)]);
  }));

test('that a killed process left half-unpacked are swept, those of a living one are not', () =>
  withLayerTarget(async (target) => {
    const layers = join(target.storage.directories.dataRoot, 'layers');
    const child = spawn('sleep', ['60']);
    const stat = fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    const name = `.${child.pid}-${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}-aa.partial`;
    fs.mkdirSync(join(layers, name, 'half'), { recursive: true });
    await sweepLeftovers(target);
    assert.equal(fs.readdirSync(layers), [name]);
    child.kill('SIGKILL');
    await once(child, 'close');
    await sweepLeftovers(target);
    assert.equal(fs.readdirSync(layers), []);
    assert.equal(fs.readdirSync(join(layers, '../trash')), []);
  }));

test('unpacked with one id get their owners once there are more', () =>
  withLayerTarget(async (target) => {
    const layer = layerSource(SMALL, SMALL);
    const own = (hostID: number) => [{ containerID: 0, hostID, size: 1 }];
    const uidMappings = own(process.getuid?.() ?? 0);
    const gidMappings = own(process.getgid?.() ?? 0);
    const single = { ...target, userns: { kind: 'single', uidMappings, gidMappings } as const };
    await ingestLayer(single, inChunks(SMALL), layer);
    assert.is(await layerDifference(single, layer), undefined);
    if (target.userns.kind === 'single') return;
    assert.is(await layerDifference(target, layer), '"etc/issue" has owner 0:0, want 5:6');
    await replaceLayer(target, layer);
    assert.is(await layerDifference(target, layer), undefined);
  }));

test.run();
