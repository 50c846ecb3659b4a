import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type RawEntry, rawTar } from './layer-fixtures.ts';
import { packLayout, writeLayout } from './oci-layout.ts';
import { probeDirectory } from './probe.ts';
import type { Scratch } from './scratch.ts';
import type { Tsman } from './tsman.ts';

export const EVIL = 'localhost/evil:latest';

/** Loads the probe's image with these entries on top. */
export async function loadEvil(
  tsman: Tsman,
  scratch: Scratch,
  ...entries: RawEntry[]
): Promise<void> {
  const tar = join(scratch.directory, 'evil.tar');
  writeFileSync(tar, rawTar(...entries));
  const base = join(await probeDirectory(), 'layer.tar');
  const layout = join(scratch.directory, 'evil');
  await writeLayout(layout, {
    name: EVIL,
    layers: [base, tar].map((path) => ({ tar: path, compression: 'none' as const })),
    config: { Cmd: ['/bin/probe', 'id'], Env: ['PATH=/bin'] },
  });
  await packLayout(layout, `${layout}.tar`);
  const { exitCode, stderr } = await tsman('load', '--input', `${layout}.tar`);
  assert.is(exitCode, 0, stderr);
}

/** The entry of a symbolic link. */
export const link = (name: string, target: string): RawEntry => ({ name, type: '2', link: target });
