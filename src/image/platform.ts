import { TsmanError, UsageError } from '../base/error.ts';
import type { Descriptor, Platform } from '../oci/image.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  ia32: '386',
  i386: '386',
  i686: '386',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
  riscv: 'riscv64',
  loong64: 'loong64',
};

/** What `--platform`, `--os`, `--arch` and `--variant` ask for; keys that are missing mean the machine's. */
export interface PlatformWish {
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
}

/** Parses `os/arch[/variant]`. */
export function parsePlatform(text: string): PlatformWish {
  const [os = '', architecture, variant, extra] = text.split('/');
  if (os === '' || architecture === undefined || architecture === '' || extra !== undefined) {
    throw new UsageError(
      `--platform ${JSON.stringify(text)}: want OS/ARCH[/VARIANT], e.g. linux/arm64`,
    );
  }
  return { os, architecture, variant };
}

/** The platform to run here, unless the user wished for another. */
export function resolvePlatform(wish: PlatformWish = {}): Platform {
  const given = wish.architecture ?? process.arch;
  const architecture = ARCHITECTURES[given.toLowerCase()] ?? given.toLowerCase();
  const variant = wish.variant ?? (given === 'armel' ? 'v6' : undefined);
  return normalised({
    os: wish.os ?? 'linux',
    architecture,
    ...(variant !== undefined && { variant }),
  });
}

/** arm64 is v8 and arm is v7 when nothing else is said (image-spec image-index.md, Platform Variants). */
function normalised({ os, architecture, variant }: Platform): Platform {
  if (architecture === 'arm64' && (variant === undefined || variant === '8'))
    return { os, architecture, variant: 'v8' };
  if (architecture === 'arm') {
    const level = variant === undefined ? 'v7' : /^\d/.test(variant) ? `v${variant}` : variant;
    return { os, architecture, variant: level };
  }
  return { os, architecture, ...(variant !== undefined && variant !== '' && { variant }) };
}

/** `linux/arm/v7`; arm64's only common variant is not worth showing. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalised(platform);
  return variant === undefined || architecture === 'arm64'
    ? `${os}/${architecture}`
    : `${os}/${architecture}/${variant}`;
}

/** True when an image for `has` runs where `wanted` is asked for: an older arm will do for a newer. */
export function satisfies(has: Platform, wanted: Platform): boolean {
  return rank(has, wanted) !== undefined;
}

/** Lower is better; undefined: unfit. */
function rank(has: Platform, wanted: Platform): number | undefined {
  const a = normalised(has);
  const b = normalised(wanted);
  if (a.os !== b.os || a.architecture !== b.architecture) return undefined;
  if (a.variant === b.variant) return 0;
  // amd64 without a variant is v1: every amd64 can do it, and any named level is nearer.
  if (a.variant === undefined) return 100;
  if (b.variant === undefined) return undefined;
  const older = Number(b.variant.slice(1)) - Number(a.variant.slice(1));
  return older > 0 ? older + 1 : undefined;
}

/** Chooses the entry of an index for a platform. @throws TsmanError that lists what there is */
export function chooseFromIndex(
  entries: readonly Descriptor[],
  wanted: Platform,
  name: string,
): Descriptor {
  let best: { entry: Descriptor; rank: number } | undefined;
  for (const entry of entries) {
    // An index of one machine's images need not say so.
    const found = entry.platform === undefined ? 1000 : rank(entry.platform, wanted);
    if (found !== undefined && found < (best?.rank ?? Number.POSITIVE_INFINITY))
      best = { entry, rank: found };
  }
  if (best !== undefined) return best.entry;
  const known = entries.flatMap(({ platform }) =>
    // Attestations of buildkit are listed as unknown/unknown.
    platform === undefined || platform.os === 'unknown' ? [] : [formatPlatform(platform)],
  );
  throw new TsmanError(`${name}: no image for ${formatPlatform(wanted)}`, {
    hint: known.length === 0 ? 'the index is empty' : `there is: ${[...new Set(known)].join(', ')}`,
  });
}
