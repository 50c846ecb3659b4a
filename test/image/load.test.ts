import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProgram } from '../support/programs.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type TarEntry, writeTar } from '../support/tar.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman load');

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The members of a docker-archive with one layer. */
async function dockerArchive(
  scratch: Scratch,
): Promise<{ config: TarEntry; layer: TarEntry; manifest: TarEntry; id: string }> {
  const path = join(scratch.directory, 'layer.tar');
  await writeTar(path, [
    { name: 'etc/', type: 'directory' },
    { name: 'etc/motd', content: 'hi\n' },
  ]);
  const layer = readFileSync(path);
  const config = JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
  });
  const id = sha256(config);
  const manifest = JSON.stringify([
    { Config: `${id}.json`, RepoTags: ['web:1'], Layers: ['1/layer.tar'] },
  ]);
  return {
    id,
    config: { name: `${id}.json`, content: config },
    layer: { name: '1/layer.tar', content: layer },
    manifest: { name: 'manifest.json', content: manifest },
  };
}

async function load(
  tsman: Tsman,
  { directory }: Scratch,
  entries: readonly TarEntry[],
): ReturnType<Tsman> {
  const path = join(directory, 'archive.tar');
  await writeTar(path, entries);
  return tsman('load', '-i', path);
}

test('takes a docker-archive, its layers before or after the manifest, by links too', () =>
  withScratch(async (tsman, scratch) => {
    const { config, layer, manifest, id } = await dockerArchive(scratch);
    const link: TarEntry = { name: '1/layer.tar', type: 'symlink', linkname: '../2/layer.tar' };
    for (const entries of [
      [layer, config, manifest],
      [manifest, config, layer],
      [manifest, config, link, { ...layer, name: '2/layer.tar' }],
    ]) {
      const { exitCode, stdout, stderr } = await load(tsman, scratch, entries);
      assert.equal([exitCode, stdout, stderr], [0, 'Loaded image: docker.io/library/web:1\n', '']);
      assert.is((await tsman('images', '-q', '--no-trunc')).stdout, `sha256:${id}\n`);
      assert.is((await tsman('rmi', 'web:1')).exitCode, 0);
    }
  }));

test('takes compressed archives from standard input', () =>
  withScratch(async (tsman, scratch) => {
    const { config, layer, manifest } = await dockerArchive(scratch);
    const path = join(scratch.directory, 'archive.tar');
    await writeTar(path, [layer, config, manifest]);
    for (const [program, suffix] of [
      ['gzip', 'gz'],
      ['xz', 'xz'],
      ['bzip2', 'bz2'],
      ['zstd', 'zst'],
    ] as const) {
      await runProgram(program, program === 'zstd' ? ['-q', '-k', path] : ['-k', path]);
      const { exitCode, stdout } = await tsman.with({ stdin: readFileSync(`${path}.${suffix}`) })(
        'load',
      );
      assert.equal([exitCode, stdout], [0, 'Loaded image: docker.io/library/web:1\n'], program);
      await tsman('rmi', 'web:1');
    }
  }));

test('says which program is missing', () =>
  withScratch(async (tsman) => {
    const stdin = Buffer.from('fd377a585a000004e6d6b446', 'hex');
    const { exitCode, stderr } = await tsman.with({ stdin, env: { PATH: '/nowhere' } })('load');
    assert.is(exitCode, 125);
    assert.is(
      stderr,
      'Error: xz is not installed\nhint: install xz, or decompress the file first\n',
    );
  }));

test('refuses hostile archives in one line, and keeps nothing of them', () =>
  withScratch(async (tsman, scratch) => {
    const { config, layer, manifest, id } = await dockerArchive(scratch);
    const named = (layerFile: string, configFile = `${id}.json`): TarEntry => ({
      name: 'manifest.json',
      content: JSON.stringify([{ Config: configFile, RepoTags: ['web:1'], Layers: [layerFile] }]),
    });
    const cases: readonly (readonly [string, readonly TarEntry[], RegExp])[] = [
      ['a path outside', [config, named('../../../../../../../etc/passwd')], /no file/],
      ['an absolute path', [config, named('/etc/passwd')], /no file/],
      [
        'a link outside',
        [config, manifest, { name: '1/layer.tar', type: 'symlink', linkname: '/etc/passwd' }],
        /no file/,
      ],
      [
        'links in a circle',
        [config, manifest, { name: '1/layer.tar', type: 'symlink', linkname: 'layer.tar' }],
        /too many links/,
      ],
      ['two of a name', [config, layer, layer, manifest], /twice/],
      ['no layer', [config, manifest], /no file "1\/layer.tar"/],
      ['no config', [layer, manifest], /no file/],
      ['another layer', [config, { ...layer, content: `${layer.content}x` }, manifest], /digest/],
      ['no manifest', [config, layer], /holds no image/],
      ['a manifest that is none', [{ name: 'manifest.json', content: '{"a":1}' }], /not a list/],
      [
        'a bad name',
        [
          config,
          layer,
          { name: 'manifest.json', content: String(manifest.content).replace('web:1', '../Web') },
        ],
        /invalid reference/,
      ],
    ];
    for (const [what, entries, why] of cases) {
      const { exitCode, stdout, stderr } = await load(tsman, scratch, entries);
      assert.equal([exitCode, stdout], [125, ''], what);
      assert.match(stderr, why, what);
      assert.match(stderr, /^Error: [^\n]*\n(hint: [^\n]*\n)?$/, what);
    }
    assert.is((await tsman('images', '-q')).stdout, '');
    assert.is((await load(tsman, scratch, [config, layer, manifest])).exitCode, 0);
    await tsman('rmi', '-a');
    assert.equal(readdirSync(join(scratch.root, 'images/blobs/sha256')), []);
    assert.equal(readdirSync(join(scratch.root, 'layers')), []);
  }));

test('refuses damaged files', () =>
  withScratch(async (tsman, scratch) => {
    const { config, layer, manifest } = await dockerArchive(scratch);
    const path = join(scratch.directory, 'whole.tar');
    await writeTar(path, [layer, config, manifest]);
    const whole = readFileSync(path);
    const broken = Buffer.from(whole);
    broken.fill(1, 0, 20);
    const cases: readonly (readonly [Buffer, RegExp])[] = [
      [Buffer.from('hello\n'), /no tar archive/],
      [Buffer.alloc(0), /no tar archive/],
      [broken, /no tar archive|checksum/],
      [whole.subarray(0, 1024), /cut off/],
      [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /decompress/],
    ];
    for (const [stdin, why] of cases) {
      const { exitCode, stderr } = await tsman.with({ stdin })('load');
      assert.is(exitCode, 125);
      assert.match(stderr, why);
    }
  }));

test('does not follow links in a directory', () =>
  withScratch(async (tsman, scratch) => {
    const directory = scratch.makeDirectory('image');
    writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    symlinkSync('/etc/passwd', join(directory, 'index.json'));
    assert.match((await tsman('load', '-i', directory)).stderr, /^Error: read .*index\.json/);
    mkdirSync(join(directory, 'x'));
    assert.not(existsSync(join(scratch.root, 'images/blobs/sha256/x')));
  }));

test.run();
