import { existsSync } from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { sharePath } from '../helper/location.ts';
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
  const archive = sharePath('hello.oci.tar');
  if (!existsSync(archive)) return undefined;
  // It came with tsman, as trusted as the program itself.
  await loadImages(target, archive, () => undefined);
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
