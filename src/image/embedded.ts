import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TsmanError } from '../base/error.ts';
import { formatReference, localCandidates } from '../oci/reference.ts';
import { findImage, type ImageRecord } from '../storage/images.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { loadImages } from './load.ts';

const EMBEDDED_NAME = 'localhost/hello:latest';

/**
 * The image `hello`, which is shipped with tsman so that a first `tsman run hello` needs neither a
 * network nor a registry: loaded into the store the first time it is asked for.
 * @returns undefined when the name means another image, or the archive was not installed
 */
export async function loadEmbedded(
  target: LayerTarget,
  name: string,
): Promise<ImageRecord | undefined> {
  if (!meansHello(name)) return undefined;
  const archive = join(shareDirectory(), 'hello.oci.tar');
  if (!existsSync(archive)) return undefined;
  await loadImages(target, archive);
  return findImage(target.storage, EMBEDDED_NAME);
}

/** `hello`, `localhost/hello:latest`, `docker.io/library/hello`; nobody's `registry.example/hello`. */
function meansHello(name: string): boolean {
  if (!name.includes('hello')) return false;
  try {
    return localCandidates(name).some((candidate) =>
      [EMBEDDED_NAME, 'docker.io/library/hello:latest'].includes(formatReference(candidate)),
    );
  } catch (error) {
    if (error instanceof TsmanError) return false;
    throw error;
  }
}

/** `TSMAN_SHARE`, else `../share` from our executable's directory, else (from source) the checkout's. */
function shareDirectory(): string {
  const forced = process.env['TSMAN_SHARE'];
  if (forced !== undefined && forced !== '') return forced;
  const beside = join(dirname(process.execPath), '../share');
  if (existsSync(join(beside, 'hello.oci.tar'))) return beside;
  return join(dirname(fileURLToPath(import.meta.url)), '../../share');
}
