import { TsmanError } from '../base/error.ts';

/** `sha256:` and 64 hexadecimal digits: the only algorithm tsman stores (image-spec descriptor.md, Digests). */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/**
 * Checks the syntax before a digest becomes a path or a URL (CVE-2024-3727).
 * @throws TsmanError when it is not a lower-case sha256 digest
 */
export function parseDigest(text: string): Digest {
  if (!isDigest(text))
    throw new TsmanError(
      `invalid digest ${JSON.stringify(text.slice(0, 100))}: want sha256: and 64 hexadecimal digits`,
    );
  return text;
}

/** The 64 digits, the name of files and directories. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
