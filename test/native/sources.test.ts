// timeout: 600
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite("the helper's sources");

test('are clean under -fanalyzer', () =>
  withSources(async (directory) => {
    await make(directory, 'analyze');
  }));

test('pass the tests of their readers when built with address and undefined sanitizers', () =>
  withSources(async (directory) => {
    await make(directory, 'sanitize');
    const env = { TSMAN_HELPER: join(directory, 'build/tsman-helper-asan') };
    for (const file of ['plan', 'user', 'fs']) {
      const result = await execa(process.execPath, [`test/native/${file}.test.ts`], {
        env,
        timeout: 120_000,
        reject: false,
        all: true,
      });
      assert.is(result.exitCode, 0, `${file}: ${result.all}`);
      assert.not.match(result.all ?? '', /AddressSanitizer|runtime error:/);
    }
  }));

test('survive random plans, passwd files and questions to the name server', () =>
  withSources(async (directory) => {
    await make(directory, 'fuzz', 'SECONDS=3');
  }));

/** A copy of native/, because whoever tests need not own the checkout. */
async function withSources(body: (directory: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync('/var/tmp/tn');
  const directory = join(root, 'native');
  try {
    mkdirSync(directory);
    cpSync('package.json', join(root, 'package.json'));
    cpSync('native', directory, {
      recursive: true,
      filter: (path) => !/^native\/(build|hello)(\/|$)/.test(path),
    });
    await body(directory);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function make(directory: string, ...words: string[]): Promise<void> {
  const result = await execa('make', ['-s', '-C', directory, ...words], {
    timeout: 240_000,
    reject: false,
    all: true,
  });
  assert.is(result.exitCode, 0, result.all);
}

test.run();
