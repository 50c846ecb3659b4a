import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { TsmanError } from '../base/error.ts';
import type { SigstoreSigned } from '../config/policy-sigstore.ts';
import { matchesIdentity } from '../config/signed-identity.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/image.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import { fetchSmallBlob } from '../registry/blobs.ts';
import { hasStatus } from '../registry/error.ts';
import { fetchManifest } from '../registry/manifests.ts';
import type { RegistrySession } from '../registry/session.ts';

/** Where the signatures of an image lie. */
export interface SignedImage {
  readonly session: RegistrySession;
  readonly repository: string;
  /** As the user means it: a mirror may serve it, but the signature is for this name. */
  readonly reference: Reference;
}

/** cosign's attachment: the payload is a layer, the signature over its bytes an annotation. */
interface Attachment {
  readonly payload: Buffer;
  readonly signature: Buffer;
}

const PAYLOAD_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
const PAYLOAD_KIND = 'cosign container image signature';
const MAX_PAYLOAD_BYTES = 1 << 20;
const MAX_SIGNATURES = 64;

/**
 * Checks that for every requirement one of the attached signatures is good: made with one of its keys,
 * over a payload that names one of `digests` and an identity that matches. cosign's SIGNATURE_SPEC.md.
 * @param digests the manifest's, and that of the index it was chosen from by digest
 * @throws TsmanError saying why none is
 */
export async function checkSignatures(
  image: SignedImage,
  digests: readonly Digest[],
  requirements: readonly SigstoreSigned[],
): Promise<void> {
  const attachments: { digest: Digest; attachment: Attachment }[] = [];
  for (const digest of digests) {
    for (const attachment of await fetchAttachments(image, digest))
      attachments.push({ digest, attachment });
  }
  if (attachments.length === 0)
    throw new TsmanError('policy.json wants a signature, and the image has none', {
      hint: `none of ${digests.map(signatureTag).join(', ')} exists in the repository`,
    });
  for (const { keys, identity } of requirements) {
    const publicKeys = keys.map(readKey);
    const reasons = attachments.map(({ digest, attachment }) =>
      whyNot(attachment, publicKeys, digest, (name) =>
        matchesIdentity(identity, image.reference, name)
          ? undefined
          : `${name} by ${identity.type}`,
      ),
    );
    if (reasons.includes(undefined)) continue;
    const [first, ...others] = [...new Set(reasons)];
    throw new TsmanError(
      `no signature of the image satisfies policy.json: ${[first, ...others].join('; ')}`,
    );
  }
}

/** `sha256-<hex>.sig`, the tag that cosign keeps the signatures of a manifest under. */
export function signatureTag(digest: Digest): string {
  return `${digest.replace(':', '-')}.sig`;
}

async function fetchAttachments(
  { session, repository }: SignedImage,
  digest: Digest,
): Promise<Attachment[]> {
  let layers: readonly Descriptor[];
  try {
    const { bytes, mediaType } = await fetchManifest(session, repository, signatureTag(digest));
    layers = parseManifest(bytes, mediaType).layers;
  } catch (error) {
    if (hasStatus(error, 404)) return [];
    throw error;
  }
  const found: Attachment[] = [];
  for (const layer of layers.slice(0, MAX_SIGNATURES)) {
    const signature = layer.annotations?.[SIGNATURE_ANNOTATION];
    if (layer.mediaType !== PAYLOAD_TYPE || signature === undefined) continue;
    const payload = await fetchSmallBlob(session, { repository, ...layer }, MAX_PAYLOAD_BYTES);
    found.push({ payload, signature: Buffer.from(signature, 'base64') });
  }
  return found;
}

function readKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    throw new TsmanError('policy.json: the key is no public key in PEM', {
      hint: 'as cosign writes it to cosign.pub',
    });
  }
}

/** Undefined when the signature is good; nothing of the payload is read before that is known. */
function whyNot(
  { payload, signature }: Attachment,
  keys: readonly KeyObject[],
  digest: Digest,
  whyNotNamed: (name: string) => string | undefined,
): string | undefined {
  if (!keys.some((key) => isSignedBy(key, payload, signature)))
    return 'it was made with another key';
  const critical = readCritical(payload);
  if (critical?.type !== PAYLOAD_KIND) return 'its payload is not that of an image signature';
  if (critical.digest !== digest) return 'it is for another image';
  const mismatch = whyNotNamed(critical.name);
  return mismatch === undefined ? undefined : `it is for another name: ${mismatch}`;
}

function isSignedBy(key: KeyObject, payload: Buffer, signature: Buffer): boolean {
  // Ed25519 hashes by itself; ECDSA and RSA (PKCS #1 v1.5) are over SHA-256, as in cosign.
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  try {
    return verify(hash, payload, key, signature);
  } catch {
    // A signature that is not even well formed.
    return false;
  }
}

/** containers-signature(5)'s "critical" part, which both cosign and simple signing have. */
function readCritical(
  payload: Buffer,
): { type: unknown; digest: unknown; name: string } | undefined {
  try {
    const { critical } = JSON.parse(payload.toString());
    const name = critical.identity['docker-reference'];
    if (typeof name !== 'string') return undefined;
    return { type: critical.type, digest: critical.image['docker-manifest-digest'], name };
  } catch {
    return undefined;
  }
}
