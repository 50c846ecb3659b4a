import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { makeContent, serve } from '../support/scripted-image.ts';
import { withScripted } from '../support/session.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';
import { until } from '../support/until.ts';

const test = suite('tsman pull, interrupted');

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

/** Waits until what comes at first has come. */
function allIngested(scratch: Scratch): Promise<void> {
  return until('2 MB have come', () => ingestedBytes(scratch) >= 2_000_000);
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
          await allIngested(scratch);
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
    const cutSoon = (cut: () => void) => void allIngested(scratch).then(cut);
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
