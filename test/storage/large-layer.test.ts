import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rawTar } from '../support/layer-fixtures.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { tsmanEnv, tsmanPath } from '../support/tsman.ts';

const test = suite('a large layer');
/** Below what is always taken for honest, whatever the ratio (docs/storage.md, Limits). */
const LAYER_MEGABYTES = 900;
/** Bun takes about 45 before any layer. */
const PEAK_MEGABYTES = 100;

/** A gzip stream whose tar has one file of zeros. */
async function* largeLayer(): AsyncGenerator<Buffer> {
  const megabyte = Buffer.alloc(1 << 20);
  yield rawTar({ name: 'large', size: LAYER_MEGABYTES << 20 }).subarray(0, 512);
  for (let i = 0; i < LAYER_MEGABYTES; i++) yield megabyte;
  yield Buffer.alloc(1024);
}

/** Imports it from a pipe; returns the exit code and the peak resident size in megabytes. */
async function importLarge(scratch: Scratch): Promise<{ exitCode: number; peak: number }> {
  const child = spawn(tsmanPath(), ['import', '-q', '-', 'large'], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, ...tsmanEnv(scratch) },
  });
  let peak = 0;
  const ended = once(child, 'exit');
  const gzip = createGzip({ level: 1 });
  gzip.pipe(child.stdin);
  const fed = (async () => {
    for await (const chunk of largeLayer()) if (!gzip.write(chunk)) await once(gzip, 'drain');
    gzip.end();
  })();
  while (child.exitCode === null) {
    peak = Math.max(peak, peakOf(child.pid ?? 0));
    await Promise.race([ended, sleep(20)]);
  }
  await fed;
  return { exitCode: child.exitCode, peak };
}

function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // Just ended.
  }
}

test('takes no more memory than a small one', () =>
  withScratch(async (tsman, scratch) => {
    const { exitCode, peak } = await importLarge(scratch);
    process.stdout.write(`(${peak.toFixed(0)} MB) `);
    assert.is(exitCode, 0);
    assert.ok(peak > 20 && peak < PEAK_MEGABYTES, `${peak} MB`);
    const size = await tsman('image', 'inspect', '-f', '{{.Size}}', 'large');
    assert.ok(Number(size.stdout) > LAYER_MEGABYTES << 20);
  }));

test.run();
