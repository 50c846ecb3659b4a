import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../test/support/cache.ts';
import { pushDebian, pushLayout } from '../test/support/debian.ts';
import { writeLayout } from '../test/support/oci-layout.ts';
import { writeTar } from '../test/support/tar.ts';
import type { Bench } from './scenario.ts';

/** What is pulled: one small program, a Debian of 170 MB with python3, twenty layers of 150 files each. */
export const SUBJECTS = ['small', 'debian', 'twenty'] as const;
export const COMPRESSIONS = ['gzip', 'zstd'] as const;
export type Subject = (typeof SUBJECTS)[number];
export type Compression = (typeof COMPRESSIONS)[number];

const NAME = 'localhost/bench:1';
const LAYERS = 20;
const FILES = 150;
const FILE_BYTES = 16_000;

/** The image's name in the bench's registry, where `putInRegistry` puts it. */
export function nameIn({ registry }: Bench, subject: Subject, compression: Compression): string {
  return `${registry}/${subject}:${compression}`;
}

const put = new Set<string>();

/** Once for each bench, with skopeo. */
export async function putInRegistry(
  bench: Bench,
  subject: Subject,
  compression: Compression,
): Promise<void> {
  const name = nameIn(bench, subject, compression);
  if (put.has(name)) return;
  put.add(name);
  if (subject === 'debian') await pushDebian(compression, name);
  else await pushLayout(await layout(subject, compression), NAME, name);
}

/** An OCI layout, made once per machine. */
function layout(subject: 'small' | 'twenty', compression: Compression): Promise<string> {
  return cached(`bench-${subject}-${compression}-1`, async (directory) => {
    const tars = subject === 'small' ? [await smallTar(directory)] : await twentyTars(directory);
    const layers = tars.map((tar) => ({ tar, compression }));
    await writeLayout(directory, { name: NAME, layers, config: { Cmd: ['sh'] } });
  });
}

async function smallTar(directory: string): Promise<string> {
  const path = join(directory, 'small.tar');
  await writeTar(path, [{ name: 'bin/sh', mode: 0o755, content: readFileSync('/bin/bash') }]);
  return path;
}

async function twentyTars(directory: string): Promise<string[]> {
  const paths = Array.from({ length: LAYERS }, (_, i) => join(directory, `${i}.tar`));
  for (const [layer, path] of paths.entries()) {
    const files = Array.from({ length: FILES }, (_, i) => ({
      name: `l${layer}/d${i % 10}/f${i}`,
      mode: 0o644,
      content: text(layer * FILES + i),
    }));
    await writeTar(path, files);
  }
  return paths;
}

/** The same on every machine; like program text it packs to about a third. */
function text(seed: number): string {
  let hash = createHash('sha256').update(`${seed}`).digest('hex');
  let content = '';
  while (content.length < FILE_BYTES) {
    hash = createHash('sha256').update(hash).digest('hex');
    content += `const ${hash.slice(0, 12)} = await read(${hash.slice(12, 20)}, options);\n`;
  }
  return content.slice(0, FILE_BYTES);
}
