import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { writeTar } from '../support/tar.ts';

const test = suite('tsman load, of a hostile OCI layout');

interface Part {
  mediaType: string;
  digest: string;
  size: number;
  [key: string]: unknown;
}

/** A layout on the disk whose documents can be changed; what names them changes with them. */
class Layout {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  path({ digest }: Part): string {
    return join(this.directory, 'blobs/sha256', digest.slice('sha256:'.length));
  }

  read(part: Part): Record<string, unknown> {
    return JSON.parse(readFileSync(this.path(part), 'utf8'));
  }

  add(mediaType: string, content: string | object): Part {
    const bytes = typeof content === 'string' ? content : JSON.stringify(content);
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(this.directory, 'blobs/sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(bytes) };
  }

  get manifest(): Part {
    const index = JSON.parse(readFileSync(join(this.directory, 'index.json'), 'utf8'));
    return index.manifests[0];
  }

  /** index.json with this one manifest. */
  point(part: Part): void {
    const index = { schemaVersion: 2, manifests: [part] };
    writeFileSync(join(this.directory, 'index.json'), JSON.stringify(index));
  }

  changeManifest(change: (manifest: Record<string, unknown>) => object): void {
    this.point(this.add(MEDIA_TYPE.ociManifest, change(this.read(this.manifest))));
  }

  changeConfig(change: object): void {
    this.changeManifest((manifest) => {
      const config = { ...this.read(manifest['config'] as Part), ...change };
      return { ...manifest, config: this.add(MEDIA_TYPE.ociConfig, config) };
    });
  }

  changeLayer(change: (layer: Part) => object): void {
    this.changeManifest((manifest) => ({
      ...manifest,
      layers: [change((manifest['layers'] as Part[])[0] as Part)],
    }));
  }
}

const HOSTILE: readonly (readonly [what: string, change: (it: Layout) => void, said: RegExp])[] = [
  ['Env without =', (it) => it.changeConfig({ config: { Env: ['HOME'] } }), /config\.Env\[0\]/],
  ['Env of another type', (it) => it.changeConfig({ config: { Env: { A: 'b' } } }), /config\.Env/],
  ['Cmd of another type', (it) => it.changeConfig({ config: { Cmd: 'sh' } }), /config\.Cmd/],
  ['no rootfs', (it) => it.changeConfig({ rootfs: undefined }), /rootfs/],
  [
    'a wrong diffID',
    (it) => it.changeConfig({ rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] } }),
    /has digest .*, want sha256:0+/,
  ],
  [
    'more diffIDs than layers',
    (it) => it.changeManifest((manifest) => ({ ...manifest, layers: [] })),
    /names 1 layers, its manifest 0/,
  ],
  [
    'a layer too long',
    (it) => it.changeLayer((layer) => ({ ...layer, size: layer.size - 1 })),
    /more than/,
  ],
  [
    'a layer too short',
    (it) => it.changeLayer((layer) => ({ ...layer, size: layer.size + 1 })),
    /ended after/,
  ],
  [
    'another layer',
    (it) => it.changeLayer((layer) => ({ ...layer, digest: `sha256:${'1'.repeat(64)}` })),
    /no file/,
  ],
  [
    'a path as digest',
    (it) => it.changeLayer((layer) => ({ ...layer, digest: 'sha256:../../../../etc/passwd' })),
    /digest/,
  ],
  [
    'a changed manifest',
    (it) => writeFileSync(it.path(it.manifest), ' '.repeat(it.manifest.size)),
    /digest/,
  ],
  [
    'a link as manifest',
    (it) => {
      const path = it.path(it.manifest);
      rmSync(path);
      symlinkSync('/etc/passwd', path);
    },
    /read .*blobs/,
  ],
  [
    'a directory as manifest',
    (it) => {
      const path = it.path(it.manifest);
      rmSync(path);
      mkdirSync(path);
    },
    /no plain file/,
  ],
  [
    'an unknown type',
    (it) => it.changeManifest((manifest) => ({ ...manifest, mediaType: 'text/html' })),
    /says it is text/,
  ],
  [
    'index in index in index',
    (it) => {
      let part = it.manifest;
      for (let depth = 0; depth < 6; depth++)
        part = it.add(MEDIA_TYPE.ociIndex, { schemaVersion: 2, manifests: [part] });
      it.point(part);
    },
    /nested deeper/,
  ],
  [
    'both an index and a manifest',
    (it) => it.changeManifest((manifest) => ({ ...manifest, manifests: [] })),
    /CVE-2021-41190/,
  ],
  [
    '10 MB of index',
    (it) => writeFileSync(join(it.directory, 'index.json'), `{"a":"${'x'.repeat(10 << 20)}"}`),
    /limit/,
  ],
  [
    'a deep document',
    (it) => it.point(it.add(MEDIA_TYPE.ociManifest, '['.repeat(9000))),
    /nested|JSON/,
  ],
];

async function makeLayout({ directory }: Scratch, name: string): Promise<Layout> {
  const tar = join(directory, `${name}.tar`);
  await writeTar(tar, [{ name: 'etc/motd', content: name }]);
  const layout = new Layout(join(directory, name));
  const layers = [{ tar, compression: 'gzip' as const }];
  await writeLayout(layout.directory, { name: 'web', layers, config: { Cmd: ['x'] } });
  return layout;
}

test('is refused in one line, leaves nothing, and the store works afterwards', () =>
  withScratch(async (tsman, scratch) => {
    for (const [i, [what, change, said]] of HOSTILE.entries()) {
      const layout = await makeLayout(scratch, `hostile-${i}`);
      change(layout);
      const { exitCode, stdout, stderr } = await tsman('load', '-i', layout.directory);
      assert.equal([exitCode, stdout], [125, ''], what);
      assert.match(stderr, said, what);
      assert.match(stderr, /^Error: [^\n]{1,600}\n(hint: [^\n]*\n)?$/, what);
    }
    assert.is((await tsman('images', '-q')).stdout, '');
    const good = await makeLayout(scratch, 'good');
    assert.is((await tsman('load', '-q', '-i', good.directory)).exitCode, 0);
    assert.is((await tsman('system', 'check')).exitCode, 0);
    await tsman('rmi', 'web');
    const left = ['images/blobs/sha256', 'layers', 'ingest', 'trash'].map((it) =>
      readdirSync(join(scratch.root, it)),
    );
    assert.equal(left, [[], [], [], []]);
  }));

test.run();
