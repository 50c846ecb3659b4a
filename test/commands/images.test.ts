import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packLayout, writeLayout } from '../support/oci-layout.ts';
import { withPodman } from '../support/podman.ts';
import { runProgram } from '../support/programs.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { writeTar } from '../support/tar.ts';

const test = suite('tsman images, rmi, tag, save, import');

/** An archive with an image of two layers, `docker.io/library/web:1`. */
async function makeArchive(scratch: Scratch): Promise<string> {
  const layers = [];
  for (const name of ['one', 'two']) {
    const tar = join(scratch.directory, `${name}.tar`);
    await writeTar(tar, [{ name, content: name }]);
    layers.push({ tar, compression: 'gzip' as const });
  }
  const layout = scratch.makeDirectory('layout');
  await writeLayout(layout, {
    name: 'docker.io/library/web:1',
    layers,
    config: { Cmd: ['x'], Labels: { a: 'b' } },
  });
  const archive = join(scratch.directory, 'web.tar');
  await packLayout(layout, archive);
  return archive;
}

test('list, tag and remove', () =>
  withScratch(async (tsman, scratch) => {
    await tsman('load', '-i', await makeArchive(scratch));
    assert.is((await tsman('tag', 'web:1', 'other', 'quay.io/x/web:2')).exitCode, 0);
    const { stdout } = await tsman('images', '--sort', 'repository');
    const lines = stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 2).join(' '));
    assert.equal(lines, [
      'REPOSITORY TAG',
      'docker.io/library/web 1',
      'localhost/other latest',
      'quay.io/x/web 2',
      '',
    ]);
    assert.match((await tsman('images', '-q')).stdout, /^[0-9a-f]{12}\n$/);
    assert.is(
      (await tsman('images', '--format', '{{.Repository}}', 'other')).stdout,
      'localhost/other\n',
    );
    assert.is((await tsman('images', '-f', 'label=a=c', '-q')).stdout, '');
    assert.is(JSON.parse((await tsman('images', '--format', 'json')).stdout)[0].Names.length, 3);
    assert.is(
      (await tsman('images', '--format', '{{.CreatedAt}}', 'other')).stdout,
      '2024-01-01 00:00:00 +0000 UTC\n',
    );
    const id = (await tsman('images', '-q')).stdout.trim();
    const refused = await tsman('rmi', id);
    assert.equal([refused.exitCode, /several names/.test(refused.stderr)], [125, true]);
    assert.is((await tsman('rmi', 'other')).stdout, 'Untagged: localhost/other:latest\n');
    assert.is((await tsman('untag', 'web:1')).exitCode, 0);
    assert.is((await tsman('image', 'exists', 'web:1')).exitCode, 1);
    assert.is(
      (await tsman('images', '-f', 'dangling=true', '--format', '{{.Tag}}')).stdout,
      '<none>\n',
    );
    assert.match((await tsman('image', 'prune', '--force')).stdout, new RegExp(`^${id}`));
    assert.equal(
      [(await tsman('rmi', 'web:1')).exitCode, (await tsman('rmi', '-i', 'web:1')).exitCode],
      [1, 0],
    );
  }));

test('inspect and history', () =>
  withScratch(async (tsman, scratch) => {
    await tsman('load', '-i', await makeArchive(scratch));
    const [image] = JSON.parse((await tsman('image', 'inspect', 'web:1')).stdout);
    assert.equal(
      [image.RepoTags, image.Config.Cmd, image.RootFS.Layers.length],
      [['docker.io/library/web:1'], ['x'], 2],
    );
    assert.is((await tsman('image', 'inspect', '-f', '{{.Labels.a}}', 'web:1')).stdout, 'b\n');
    assert.is((await tsman('history', '-q', 'web:1')).stdout.split('\n').length, 3);
  }));

test('what save writes, load reads, and other tools too', () =>
  withScratch(async (tsman, scratch) => {
    await tsman('load', '-i', await makeArchive(scratch));
    await tsman('tag', 'web:1', 'two');
    const { stdout: id } = await tsman('images', '-q', '--no-trunc');
    const at = (name: string): string => join(scratch.directory, name);
    for (const format of ['docker-archive', 'oci-archive', 'oci-dir', 'docker-dir']) {
      const names = format === 'docker-dir' ? ['web:1'] : ['web:1', 'two'];
      assert.equal(
        await tsman('save', '--format', format, '-o', at(format), ...names).then((it) => [
          it.exitCode,
          it.stderr,
        ]),
        [0, ''],
      );
    }
    const [layer] = JSON.parse(readFileSync(at('docker-dir/manifest.json'), 'utf8')).layers;
    const blob = `blobs/sha256/${layer.digest.slice(7)}`;
    assert.equal(
      readFileSync(at(`oci-dir/${blob}`)),
      readFileSync(join(scratch.root, 'images', blob)),
    );
    for (const name of [
      'docker-archive:docker-archive:docker.io/library/web:1',
      'oci-archive:oci-archive:localhost/two:latest',
      'oci:oci-dir:localhost/two:latest',
      'dir:docker-dir',
    ]) {
      const inspected = await runProgram('skopeo', [
        'inspect',
        '--config',
        name.replace(':', `:${scratch.directory}/`),
      ]);
      assert.match(String(inspected), /"Cmd"/, name);
    }
    for (const format of ['docker-archive', 'oci-archive', 'oci-dir', 'docker-dir']) {
      await tsman('rmi', '-fa');
      assert.is((await tsman('load', '-i', at(format))).exitCode, 0);
      assert.is((await tsman('images', '-q', '--no-trunc')).stdout, id, format);
    }
  }));

requires(
  test,
  'podman',
  'umoci',
  'subids',
)('what save writes, podman and umoci read', () =>
  withScratch(async (tsman, scratch) => {
    await tsman('load', '-i', await makeArchive(scratch));
    await tsman('import', '-q', join(scratch.directory, 'one.tar'), 'other');
    const at = (name: string): string => join(scratch.directory, `saved-${name}`);
    const ids = new Set((await tsman('images', '-q', '--no-trunc')).stdout.trim().split('\n'));
    await withPodman(scratch.directory, async (podman) => {
      for (const format of ['docker-archive', 'oci-archive', 'oci-dir', 'docker-dir']) {
        // Podman 4.3 takes several images of a docker-archive only.
        const names = format === 'docker-archive' ? ['web:1', 'other'] : ['web:1'];
        const saved = await tsman('save', '--format', format, '-o', at(format), ...names);
        assert.is(saved.exitCode, 0, saved.stderr);
        // It takes the directory's path for a name, in which no capital may be; umoci reads it below.
        if (format === 'oci-dir') continue;
        await podman('load', '-q', '-i', at(format));
        const found = (await podman('images', '-q', '--no-trunc')).trim().split('\n');
        for (const id of found) assert.ok(ids.has(id), `${format}: ${id}`);
        assert.is(found.length, names.length, format);
        await podman('rmi', '-f', '-a');
      }
    });
    const tag = 'docker.io/library/web:1';
    assert.is(await runProgram('umoci', ['ls', '--layout', at('oci-dir')]), `${tag}\n`);
    const unpack = ['raw', 'unpack', '--rootless', '--image', `${at('oci-dir')}:${tag}`];
    await runProgram('umoci', [...unpack, at('bundle')]);
    assert.is(readFileSync(join(at('bundle'), 'two'), 'utf8'), 'two');
  }),
);

/** The kinds of the layers in a docker-dir, by their first bytes. */
function layerKinds(directory: string): string[] {
  const { layers } = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
  return layers.map(({ digest, mediaType, size }: Record<string, string | number>) => {
    const bytes = readFileSync(join(directory, `${digest}`.slice(7)));
    assert.is(bytes.length, size);
    return `${`${mediaType}`.replace(/.*\.tar/, 'tar')} ${bytes.subarray(0, 2).toString('hex') === '1f8b'}`;
  });
}

test('save writes layers compressed or not', () =>
  withScratch(async (tsman, scratch) => {
    await tsman('load', '-i', await makeArchive(scratch));
    await tsman('import', '-q', join(scratch.directory, 'one.tar'), 'plain');
    const at = (name: string): string => join(scratch.directory, name);
    const save = async (name: string, ...words: string[]): Promise<string> => {
      const saved = await tsman('save', '-o', at(name), '--format', ...words);
      assert.equal([saved.exitCode, saved.stderr], [0, '']);
      return at(name);
    };
    const blobs = (): number => readdirSync(join(scratch.root, 'images/blobs/sha256')).length;
    const before = blobs();
    assert.equal(layerKinds(await save('a', 'docker-dir', 'plain')), ['tar false']);
    assert.equal(layerKinds(await save('b', 'docker-dir', '--compress', 'plain')), [
      'tar+gzip true',
    ]);
    const open = await save('c', 'docker-dir', '--uncompressed', 'web:1');
    assert.equal(layerKinds(open), ['tar false', 'tar false']);
    assert.is(blobs(), before);
    const archive = await save('e', 'oci-archive', '--uncompressed', 'web:1');
    const { stdout: id } = await tsman('images', '-q', '--no-trunc', 'web:1');
    await tsman('rmi', '-a');
    for (const path of [archive, at('c')]) {
      assert.is((await tsman('load', '-i', path)).exitCode, 0);
      assert.is((await tsman('images', '-q', '--no-trunc')).stdout, id);
    }
    await runProgram('skopeo', ['inspect', '--config', `dir:${at('b')}`]);
    const into = await tsman('save', '-o', scratch.directory, 'web:1');
    assert.equal([into.exitCode, /is a directory\nhint: /.test(into.stderr)], [125, true]);
    const { stderr } = await tsman('save', '--compress', '-o', '/dev/null', 'any');
    assert.match(stderr, /^Error: option --compress needs --format docker-dir/);
  }));

test('a layer that an image has is not stored once more', () =>
  withScratch(async (tsman, scratch) => {
    await tsman('load', '-i', await makeArchive(scratch));
    const archive = join(scratch.directory, 'again.tar');
    await tsman('create', '--name', 'c', '--network', 'none', 'web:1');
    await tsman('commit', '-q', 'c', 'more');
    await tsman('save', '-q', '-o', archive, 'more');
    await tsman('rmi', 'more');
    const layers = readdirSync(join(scratch.root, 'layers')).length;
    const blobs = join(scratch.root, 'images/blobs/sha256');
    const before = readdirSync(blobs).length;
    assert.is((await tsman('load', '-q', '-i', archive)).exitCode, 0);
    // Config, manifest and the one layer of its own; two layers are those of web:1, gzip as they came.
    assert.equal([readdirSync(blobs).length - before, layers], [3, 2]);
    assert.is((await tsman('system', 'check')).exitCode, 0);
  }));

test('import makes an image of a tar archive', () =>
  withScratch(async (tsman, scratch) => {
    const tar = join(scratch.directory, 'root.tar');
    await writeTar(tar, [{ name: 'file', content: 'x' }]);
    const { exitCode, stdout } = await tsman('import', '-c', 'CMD ["a"]', '-m', 'why', tar, 'mine');
    assert.is(exitCode, 0);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.is(
      (await tsman('image', 'inspect', '-f', '{{.Config.Cmd}} {{.Comment}}', 'mine')).stdout,
      '[a] why\n',
    );
    assert.match((await tsman('import', '-c', 'FROM x', tar)).stderr, /^Error: option --change/);
    for (const change of ['CMD x', 'FROM x']) {
      const { stderr } = await tsman('import', '-c', change, '/nonexistent');
      assert.match(stderr, /^Error: import \/nonexistent: ENOENT[^\n]*\n$/);
    }
    assert.is((await tsman('images', '-q')).stdout.split('\n').length, 2);
  }));

test('hello is there without a network', () =>
  withScratch(async (tsman, scratch) => {
    const { exitCode, stdout } = await tsman('run', '--rm', '--network', 'none', 'hello', 'there');
    assert.is(exitCode, 0);
    assert.match(stdout, /^Hello from a container!\n[\s\S]*You told me: there\n/);
    assert.ok(existsSync(join(scratch.root, 'images/index.json')));
  }));

test.run();
