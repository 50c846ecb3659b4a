import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type Handler, withScripted } from '../support/session.ts';
import { writeTar } from '../support/tar.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';

const test = suite('tsman pull, interrupted');

interface Content {
  readonly layer: Buffer;
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly manifest: Buffer;
}

const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function makeContent(directory: string): Promise<Content> {
  const tar = join(directory, 'layer.tar');
  await writeTar(tar, [{ name: 'file', content: randomBytes(3_000_000) }]);
  const layer = readFileSync(tar);
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture,
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: { mediaType: MEDIA_TYPE.ociConfig, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: MEDIA_TYPE.ociLayer, digest: digestOf(layer), size: layer.length }],
    }),
  );
  return {
    layer,
    blobs: new Map([layer, config].map((bytes) => [digestOf(bytes), bytes])),
    manifest,
  };
}

/** Serves the image; of the layer's first answer only the first 2 MB, and then `stall`. */
function serve(
  { layer, blobs, manifest }: Content,
  ranges: (string | undefined)[],
  stall: (cut: () => void) => void,
): Handler {
  return (request, response) => {
    if (request.url?.includes('/manifests/')) {
      response.setHeader('content-type', MEDIA_TYPE.ociManifest).end(manifest);
      return;
    }
    const bytes = blobs.get(request.url?.split('/').at(-1) ?? '') ?? Buffer.alloc(0);
    if (bytes !== layer) {
      response.end(bytes);
      return;
    }
    ranges.push(request.headers.range);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers =
      start === 0 ? {} : { 'content-range': `bytes ${start}-${layer.length - 1}/${layer.length}` };
    response.writeHead(start === 0 ? 200 : 206, {
      ...headers,
      'content-length': layer.length - start,
    });
    if (ranges.length > 1) response.end(layer.subarray(start));
    else {
      response.write(layer.subarray(0, 2_000_000));
      stall(() => response.destroy());
    }
  };
}

function ingestedBytes({ root }: Scratch): number {
  const directory = join(root, 'ingest');
  try {
    return readdirSync(directory).reduce(
      (sum, name) => sum + statSync(join(directory, name)).size,
      0,
    );
  } catch {
    return 0;
  }
}

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  requires(test, 'userns')(`goes on where ${signal} ended it`, () =>
    withScratch(async (tsman, scratch) => {
      const content = await makeContent(scratch.makeDirectory('content'));
      const ranges: (string | undefined)[] = [];
      await withScripted(
        serve(content, ranges, () => undefined),
        async ({ address }) => {
          const child = spawn(tsmanPath(), ['pull', `${address}/x`], {
            env: { ...process.env, ...tsmanEnv(scratch) },
            stdio: 'ignore',
            timeout: 60_000,
          });
          const ended = once(child, 'exit');
          for (let attempt = 0; ingestedBytes(scratch) < 2_000_000 && attempt < 200; attempt++)
            await sleep(50);
          child.kill(signal);
          await ended;
          const { exitCode, stderr } = await tsman('pull', `${address}/x`);
          assert.is(exitCode, 0, stderr);
          assert.equal(ranges, [undefined, 'bytes=2000000-']);
          assert.is(ingestedBytes(scratch), 0);
        },
      );
    }),
  );
}

requires(test, 'userns')('goes on where the network ended it, and gives up when told to', () =>
  withScratch(async (tsman, scratch) => {
    const content = await makeContent(scratch.makeDirectory('content'));
    const ranges: (string | undefined)[] = [];
    const cutSoon = (cut: () => void) => setTimeout(cut, 300);
    await withScripted(serve(content, ranges, cutSoon), async ({ address }) => {
      const failed = await tsman('pull', '--retry', '0', `${address}/x`);
      assert.is(failed.exitCode, 125);
      assert.match(failed.stderr, /Error: .*layer sha256:.*ECONNRESET/);
      assert.is((await tsman('images', '-q')).stdout, '');
      const { exitCode, stderr } = await tsman('pull', `${address}/x`);
      assert.is(exitCode, 0, stderr);
      assert.equal(ranges, [undefined, 'bytes=2000000-']);
    });
  }),
);

test.run();
