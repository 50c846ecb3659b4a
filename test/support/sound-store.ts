import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Scratch } from './scratch.ts';
import type { Tsman } from './tsman.ts';

/** Every file of the store but the database, with its size: what a clean store has, and no more. */
export async function storeFiles(tsman: Tsman, { root }: Scratch): Promise<string[]> {
  const parts = ['images', 'layers', 'containers', 'ingest', 'trash'];
  const script = `cd ${root}; for d in ${parts.join(' ')}; do mkdir -p $d; find $d ! -type d -printf '%p %s %b\\n'; find $d -mindepth 1 -type d; done | sort`;
  const { exitCode, stdout, stderr } = await tsman('unshare', 'sh', '-c', script);
  assert.equal([exitCode, stderr], [0, '']);
  return stdout.split('\n');
}

/** `system check` finds nothing, and every image in sight runs. */
export async function assertSound(tsman: Tsman, when = ''): Promise<void> {
  const check = await tsman('system', 'check');
  assert.equal([check.exitCode, check.stderr], [0, ''], `${when}: ${check.stdout}`);
  const { stdout } = await tsman('images', '--format', '{{.Id}}');
  for (const id of new Set(stdout.split('\n').filter((line) => line !== ''))) {
    const run = await tsman('run', '--rm', '--network', 'none', id, '/bin/probe', 'id');
    assert.is(run.exitCode, 0, `${when}: ${run.stderr}`);
  }
}

/** What a command was killed in goes: after this the store is to have the files it had. */
export async function pruneLeftovers(tsman: Tsman, { root }: Scratch): Promise<void> {
  // Directories of containers are left alone while they are young: a `run` may be about to name them.
  for (const name of readdirSync(join(root, 'containers')))
    utimesSync(join(root, 'containers', name), 0, 0);
  const prune = await tsman('system', 'prune', '--external', '-f');
  assert.equal([prune.exitCode, prune.stderr], [0, '']);
}
