import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../../src/base/version.ts';

const test = suite('version');

test('is the one package.json has', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

  assert.is(VERSION, version);
});

test.run();
