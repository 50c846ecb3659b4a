import { TsmanError } from '../base/error.ts';
import {
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
} from '../oci/reference.ts';

/** Which names a signature may be for, given the name that is pulled (containers-policy.json(5)). */
export type SignedIdentity =
  | { readonly type: 'matchExact' | 'matchRepoDigestOrExact' | 'matchRepository' }
  | { readonly type: 'exactReference'; readonly dockerReference: string }
  | { readonly type: 'exactRepository'; readonly dockerRepository: string }
  | { readonly type: 'remapIdentity'; readonly prefix: string; readonly signedPrefix: string };

const ARGUMENTS = {
  matchExact: [],
  matchRepoDigestOrExact: [],
  matchRepository: [],
  exactReference: ['dockerReference'],
  exactRepository: ['dockerRepository'],
  remapIdentity: ['prefix', 'signedPrefix'],
} as const satisfies Record<SignedIdentity['type'], readonly string[]>;

/** Reads `signedIdentity`; left out it is matchRepoDigestOrExact. */
export function readSignedIdentity(value: unknown): SignedIdentity {
  if (value === undefined) return { type: 'matchRepoDigestOrExact' };
  const table = typeof value === 'object' && value !== null ? value : {};
  const { type, ...rest } = table as Record<string, unknown>;
  if (typeof type !== 'string' || !Object.hasOwn(ARGUMENTS, type))
    throw new TsmanError(`signedIdentity: unknown type ${JSON.stringify(type)}`);
  const wanted: readonly string[] = ARGUMENTS[type as SignedIdentity['type']];
  const isComplete =
    wanted.every((key) => typeof rest[key] === 'string' && rest[key] !== '') &&
    Object.keys(rest).length === wanted.length;
  if (!isComplete)
    throw new TsmanError(`signedIdentity ${type}: want ${wanted.join(' and ') || 'nothing else'}`);
  const identity = { type, ...rest } as SignedIdentity;
  if (identity.type === 'exactReference' && isNameOnly(parseReference(identity.dockerReference)))
    throw new TsmanError(
      'signedIdentity exactReference: dockerReference has neither tag nor digest',
    );
  return identity;
}

/** True when a signature for the name `signed` counts for pulling `wanted`. */
export function matchesIdentity(
  identity: SignedIdentity,
  wanted: Reference,
  signed: string,
): boolean {
  const found = parseSigned(signed);
  if (found === undefined) return false;
  switch (identity.type) {
    case 'matchExact':
      return isSame(wanted, found);
    case 'matchRepoDigestOrExact':
      return matchesRepoDigestOrExact(wanted, found);
    case 'matchRepository':
      return repositoryName(found) === repositoryName(wanted);
    case 'exactReference':
      return isSame(parseReference(identity.dockerReference), found);
    case 'exactRepository':
      return repositoryName(parseReference(identity.dockerRepository)) === repositoryName(found);
    case 'remapIdentity':
      return matchesRepoDigestOrExact(remap(wanted, identity), found);
  }
}

/** Whoever signed wrote this; a name that is none matches nothing. */
function parseSigned(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

function isNameOnly({ tag, digest }: Reference): boolean {
  return tag === undefined && digest === undefined;
}

function isSame(wanted: Reference, signed: Reference): boolean {
  return !isNameOnly(signed) && formatReference(wanted) === formatReference(signed);
}

/** Pulled by digest the repository is enough: which content it is, the digest says. */
function matchesRepoDigestOrExact(wanted: Reference, signed: Reference): boolean {
  if (isNameOnly(signed)) return false;
  if (wanted.tag !== undefined) return isSame(wanted, signed);
  return wanted.digest !== undefined && repositoryName(wanted) === repositoryName(signed);
}

function remap(
  wanted: Reference,
  { prefix, signedPrefix }: { prefix: string; signedPrefix: string },
): Reference {
  const text = formatReference(wanted);
  if (text !== prefix && !['/', ':', '@'].includes(text.slice(prefix.length)[0] ?? ''))
    return wanted;
  return text.startsWith(prefix)
    ? parseReference(signedPrefix + text.slice(prefix.length))
    : wanted;
}
