import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, digestHex } from '../../src/oci/digest.ts';
import { engineUserns } from '../../src/rootless/id-map.ts';
import { openFsAgent } from '../../src/rootless/rootfs-agent.ts';
import { treeDifferences } from '../../src/storage/tree-compare.ts';
import { DEBIAN_IMAGE, debianDirectory } from '../support/debian.ts';
import { rawTar } from '../support/layer-fixtures.ts';
import { packLayout, writeLayout } from '../support/oci-layout.ts';
import { withPodman } from '../support/podman.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('unpacked layers, compared with those of other tools');
const CAPABILITY = `\x01\x00\x00\x02\x00\x20\x00\x00${'\x00'.repeat(12)}`;
/** user::rw-, user:7:r--, group::r--, mask::r--, other::r-- (acl(5), xattr form). */
const ACL = Buffer.from(
  '0200000001000600ffffffff020004000700000004000400ffffffff10000400ffffffff20000400ffffffff',
  'hex',
).toString('latin1');
const DIRECTORY = { type: '5', mtime: 1_500_000_000 };

/** What a layer may hold that is easily got wrong. Every directory has an entry: only those have times. */
function richLayer(): Buffer {
  const sparse = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' };
  const map = '2\n0\n3\n50000000\n3\n'.padEnd(512, '\0');
  return rawTar(
    { name: './', ...DIRECTORY, mode: 0o755 },
    { name: 'a/', ...DIRECTORY },
    { name: 'b/', ...DIRECTORY, mode: 0o1777, uid: 3, gid: 4 },
    { name: 'a/first', content: 'linked', uid: 5, gid: 6, mode: 0o640 },
    // Podman takes the mode from the last of the links, umoci from the first; tar writes the same to all.
    { name: 'b/second', type: '1', link: 'a/first', uid: 5, gid: 6, mode: 0o640 },
    { name: 'third', type: '1', link: './b/second', uid: 5, gid: 6, mode: 0o640 },
    {
      name: 'GNUSparseFile.0/sparse',
      pax: { ...sparse, 'GNU.sparse.name': 'sparse', 'GNU.sparse.realsize': '60000000' },
      content: `${map}onetwo`,
    },
    { name: 'setuid', content: 'x', mode: 0o6755, uid: 7, gid: 8 },
    {
      name: 'ping',
      content: 'x',
      mode: 0o755,
      pax: { 'SCHILY.xattr.security.capability': CAPABILITY },
    },
    { name: 'noted', content: 'x', pax: { 'SCHILY.xattr.user.note': 'some\xff=\nbytes' } },
    { name: 'shared', content: 'x', pax: { 'SCHILY.xattr.system.posix_acl_access': ACL } },
    { name: 'exact', content: 'x', pax: { mtime: '1234567890.123456789' } },
    { name: 'raw\xff\xfe\nname', content: '1' },
    { name: 'x', pax: { path: `${'long-name/'.repeat(20)}end` }, content: '2' },
    { name: 'link', type: '2', link: '/a/first' },
    { name: 'dangling', type: '2', link: '../../nowhere' },
    { name: 'fifo', type: '6', mode: 0o600, uid: 9 },
    { name: 'closed', ...DIRECTORY, mode: 0 },
  );
}

/** The layers of an image as tsman unpacked them, lowest first, against directories of another tool. */
async function differences(
  tsman: Tsman,
  { root, runRoot }: Scratch,
  image: string,
  others: readonly string[],
): Promise<string[]> {
  const { stdout } = await tsman('image', 'inspect', '-f', '{{json .RootFS.Layers}}', image);
  const diffIDs: readonly string[] = JSON.parse(stdout);
  assert.is(diffIDs.length, others.length);
  const target = { userns: engineUserns(), directories: { dataRoot: root, runRoot } };
  const lines: string[] = [];
  for (const [i, other] of others.entries()) {
    const layer = join(root, 'layers', digestHex(diffIDs[i] as Digest));
    const [reader, here, there] = ['/', layer, other].map((path) => openFsAgent(target, path));
    if (reader === undefined || here === undefined || there === undefined) throw new Error('none');
    const wanted = { walker: there, path: other };
    for await (const line of treeDifferences(reader, { walker: here, path: layer }, wanted))
      lines.push(line);
    await Promise.all([reader, here, there].map((agent) => agent.close()));
  }
  return lines;
}

async function loadRich(tsman: Tsman, scratch: Scratch): Promise<string> {
  const tar = join(scratch.directory, 'rich.tar');
  writeFileSync(tar, richLayer());
  const layout = scratch.makeDirectory('layout');
  const layers = [{ tar, compression: 'gzip' as const }];
  await writeLayout(layout, { name: 'rich', layers, config: {} });
  await packLayout(layout, join(scratch.directory, 'rich-image.tar'));
  const loaded = await tsman('load', '-q', '-i', layout);
  assert.is(loaded.exitCode, 0, loaded.stderr);
  return layout;
}

requires(
  test,
  'umoci',
  'subids',
)('are what umoci makes of a rich layer', () =>
  withScratch(async (tsman, scratch) => {
    const layout = await loadRich(tsman, scratch);
    const bundle = join(scratch.directory, 'bundle');
    // Root of our user namespace: with --rootless umoci gives every file to one user.
    const words = ['umoci', 'unpack', '--image', `${layout}:rich`, bundle];
    const unpacked = await tsman('unshare', ...words);
    assert.is(unpacked.exitCode, 0, unpacked.stderr);
    const found = await differences(tsman, scratch, 'rich', [join(bundle, 'rootfs')]);
    await tsman('unshare', 'rm', '-rf', bundle);
    assert.equal(found, []);
  }),
);

/** Podman's layers have a root of mode 0555, whatever the archive says. */
const PODMANS_ROOT = '/ has mode 40755, want 40555';

/** Podman with storage of its own, and what it calls the directories of an image's layers. */
function withPodmanLayers(
  { directory }: Scratch,
  archive: string,
  body: (layers: readonly string[]) => Promise<void>,
): Promise<void> {
  return withPodman(directory, async (podman) => {
    await podman('load', '-q', '-i', archive);
    const [image = ''] = (await podman('images', '-q')).split('\n');
    const { UpperDir, LowerDir } = JSON.parse(
      await podman('image', 'inspect', '-f', '{{json .GraphDriver.Data}}', image),
    );
    await body([UpperDir, ...(LowerDir?.split(':') ?? [])].reverse());
  });
}

requires(
  test,
  'podman',
  'subids',
)('are what podman makes of a rich layer', () =>
  withScratch(async (tsman, scratch) => {
    await loadRich(tsman, scratch);
    const archive = join(scratch.directory, 'rich-image.tar');
    await withPodmanLayers(scratch, archive, async (layers) =>
      assert.equal(await differences(tsman, scratch, 'rich', layers), [PODMANS_ROOT]),
    );
  }),
);

requires(
  test,
  'podman',
  'subids',
  'mmdebstrap',
)('are what podman makes of a Debian', () =>
  withScratch(async (tsman, scratch) => {
    const archive = join(await debianDirectory(), 'debian.tar');
    await tsman('load', '-q', '-i', archive);
    await withPodmanLayers(scratch, archive, async (layers) => {
      const found = await differences(tsman, scratch, DEBIAN_IMAGE, layers);
      assert.equal(found, Array(3).fill(PODMANS_ROOT));
    });
  }),
);

test.run();
