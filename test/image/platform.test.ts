import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  chooseFromIndex,
  formatPlatform,
  parsePlatform,
  resolvePlatform,
} from '../../src/image/platform.ts';
import { type Descriptor, MEDIA_TYPE } from '../../src/oci/image.ts';

const test = suite('platforms');

function entry(text: string, at: number): Descriptor {
  const [os = '', architecture = '', variant] = text.split('/');
  const platform = { os, architecture, ...(variant !== undefined && { variant }) };
  return {
    mediaType: MEDIA_TYPE.ociManifest,
    digest: `sha256:${String(at).padStart(64, '0')}`,
    size: 1,
    platform,
  };
}

function choose(wanted: string, ...platforms: string[]): string | undefined {
  const chosen = chooseFromIndex(
    platforms.map(entry),
    resolvePlatform(parsePlatform(wanted)),
    'image',
  );
  return platforms[Number(chosen.digest.slice(7))];
}

test('have the names of Go, however they are written', () => {
  for (const text of ['linux/x86_64', 'linux/amd64', 'linux/AMD64'])
    assert.is(formatPlatform(resolvePlatform(parsePlatform(text))), 'linux/amd64');
  assert.is(formatPlatform(resolvePlatform(parsePlatform('linux/aarch64'))), 'linux/arm64');
  assert.is(formatPlatform(resolvePlatform(parsePlatform('linux/armhf'))), 'linux/arm/v7');
  assert.throws(() => parsePlatform('linux'), /want OS\/ARCH/);
});

test('take the nearest variant that runs', () => {
  assert.is(
    choose('linux/arm/v7', 'linux/arm/v5', 'linux/arm/v6', 'linux/arm64/v8'),
    'linux/arm/v6',
  );
  assert.is(choose('linux/arm/v7', 'linux/arm/v6', 'linux/arm'), 'linux/arm');
  assert.is(choose('linux/arm64', 'linux/amd64', 'linux/arm64'), 'linux/arm64');
  assert.is(choose('linux/amd64', 'linux/amd64/v3', 'linux/amd64'), 'linux/amd64');
  assert.is(choose('linux/amd64/v3', 'linux/amd64', 'linux/amd64/v2'), 'linux/amd64/v2');
});

test('that are missing are answered with what there is', () => {
  try {
    choose('linux/s390x', 'linux/amd64', 'linux/arm/v7', 'unknown/unknown');
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /no image for linux\/s390x/);
    assert.is((error as { hint?: string }).hint, 'there is: linux/amd64, linux/arm/v7');
  }
});

test.run();
