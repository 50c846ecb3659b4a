import { findEndpoints } from '../config/endpoints.ts';
import { loadRegistries } from '../config/registries.ts';
import { parseAnyManifest } from '../oci/manifest.ts';
import { parseReference, repositoryName, withDefaultTag } from '../oci/reference.ts';
import { fetchManifest } from '../registry/manifests.ts';
import { sha256 } from '../storage/blobs.ts';
import { findImage, type ImageRecord } from '../storage/images.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { type PullOptions, pullImage } from './pull.ts';
import { openEndpoint, type RegistryAccess } from './registry-access.ts';
import { tryEach } from './try-each.ts';

/**
 * The images that `manifest add NAME` means: one of the store, or of a registry, from where it is
 * pulled, so that the list can be pushed from here. `isAll`: every one of a multi-platform image.
 */
export async function listMembers(
  target: LayerTarget,
  typed: string,
  isAll: boolean,
  options: PullOptions,
): Promise<ImageRecord[]> {
  const name = typed.replace(/^(docker:\/\/|containers-storage:)/, '');
  if (!isAll) {
    const local = typed.startsWith('docker://') ? undefined : findImage(target.storage, name);
    return [local ?? (await pullImage(target, name, { ...options, policy: 'always' }))];
  }
  const repository = repositoryName(parseReference(name));
  const members: ImageRecord[] = [];
  for (const digest of await indexDigests(name, options))
    members.push(
      await pullImage(target, `${repository}@${digest}`, { ...options, policy: 'always' }),
    );
  return members;
}

/** A manifest or index of a registry, as it came. */
export async function fetchRemoteManifest(name: string, access: RegistryAccess): Promise<Buffer> {
  const reference = withDefaultTag(parseReference(name));
  return tryEach(findEndpoints(await loadRegistries(), reference), async (endpoint) => {
    const session = openEndpoint(endpoint, access);
    try {
      const version = reference.digest ?? reference.tag ?? 'latest';
      return (await fetchManifest(session, endpoint.repository, version)).bytes;
    } finally {
      session.close();
    }
  });
}

async function indexDigests(name: string, access: RegistryAccess): Promise<string[]> {
  const bytes = await fetchRemoteManifest(name, access);
  const parsed = parseAnyManifest(bytes);
  if (parsed.kind === 'manifest') return [sha256(bytes)];
  // Attestations of a build are for no machine.
  return parsed.index.manifests
    .filter(({ platform }) => platform?.os !== 'unknown')
    .map(({ digest }) => digest);
}
