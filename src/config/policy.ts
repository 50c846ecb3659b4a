import { TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { userContainersPath } from './paths.ts';
import { isTable, parsePolicy, type Table } from './policy-file.ts';
import { readSigstoreSigned, type SigstoreSigned } from './policy-sigstore.ts';

/**
 * What policy.json (containers-policy.json(5)) asks of a pull: the user's file, else the system's;
 * without one everything is accepted, as in Docker. Returns the signatures that must be found; none
 * means accepted.
 * @throws TsmanError when the policy says no, or asks for something tsman cannot check
 */
export function checkPolicy(
  reference: Reference,
  env: NodeJS.ProcessEnv = process.env,
): SigstoreSigned[] {
  const found = findPolicy(env);
  return found === undefined ? [] : checkRequirements(found.policy, reference, found.path);
}

/**
 * The same for what `load` takes: an archive or a directory has no signatures, so only
 * insecureAcceptAnything lets it in.
 * @param transport `docker-archive`, `oci-archive`, `oci` or `dir`; containers-transports(5)
 * @param place the absolute path of a directory; archives have no scopes
 */
export function checkFilePolicy(
  transport: string,
  place = '',
  env: NodeJS.ProcessEnv = process.env,
): void {
  const found = findPolicy(env);
  if (found === undefined) return;
  const parts = place.split('/');
  const scopes = parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
  const requirements = requirementsOf(found.policy, transport, [...scopes, '']);
  const isAccepted =
    Array.isArray(requirements) &&
    requirements.length > 0 &&
    requirements.every((each) => isTable(each) && each['type'] === 'insecureAcceptAnything');
  if (isAccepted) return;
  throw new TsmanError(
    `${found.path} does not accept ${transport}: what is loaded has no signature`,
    {
      hint: `add "${transport}": {"": [{"type": "insecureAcceptAnything"}]} to its transports`,
    },
  );
}

function findPolicy(env: NodeJS.ProcessEnv): { policy: Table; path: string } | undefined {
  const path = policyPath(env);
  const text = path === undefined ? undefined : readIfExists(path);
  return path === undefined || text === undefined
    ? undefined
    : { policy: parsePolicy(text, path), path };
}

/** The policy.json that counts: the user's, else the system's. */
export function policyPath(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const paths = [userContainersPath('policy.json', env), '/etc/containers/policy.json'];
  // Read, not asked for: one that may not be read is a failure, never an absent one.
  return paths.find((path) => readIfExists(path) !== undefined);
}

/** The same for a policy already parsed. */
export function checkRequirements(
  policy: Table,
  reference: Reference,
  path: string,
): SigstoreSigned[] {
  const requirements = findRequirements(policy, reference);
  const name = formatReference(reference);
  if (!Array.isArray(requirements) || requirements.length === 0) {
    throw new TsmanError(`${path}: no requirements for ${name}`);
  }
  const signatures: SigstoreSigned[] = [];
  for (const requirement of requirements) {
    const type = isTable(requirement) ? requirement['type'] : undefined;
    if (type === 'insecureAcceptAnything') continue;
    if (type === 'reject') throw new TsmanError(`${name} is rejected by ${path}`);
    if (type === 'signedBy') {
      throw new TsmanError(
        `${path} wants a GPG signature (signedBy) for ${name}, which tsman cannot check`,
        { hint: 'pull it with skopeo or podman, or use sigstoreSigned in the policy' },
      );
    }
    if (type !== 'sigstoreSigned')
      throw new TsmanError(`${path}: unknown requirement ${JSON.stringify(type)} for ${name}`);
    try {
      signatures.push(readSigstoreSigned(requirement as Table));
    } catch (cause) {
      throw new TsmanError(`${path}: sigstoreSigned for ${name}`, { cause });
    }
  }
  return signatures;
}

/** The most specific scope wins: the full reference, the repository, its parents, the host, *.host. */
function findRequirements(
  policy: Table,
  { registry, repository, tag, digest }: Reference,
): unknown {
  // With both the digest says what is pulled; containers-policy.json(5) knows no scope with both.
  const version = digest === undefined ? { ...(tag !== undefined && { tag }) } : { digest };
  const scopes = [formatReference({ registry, repository, ...version })];
  const parts = `${registry}/${repository}`.split('/');
  for (let length = parts.length; length > 0; length--)
    scopes.push(parts.slice(0, length).join('/'));
  const labels = registry.replace(/:\d+$/, '').split('.');
  for (let from = 1; from < labels.length; from++) scopes.push(`*.${labels.slice(from).join('.')}`);
  return requirementsOf(policy, 'docker', [...scopes, '']);
}

function requirementsOf(policy: Table, transport: string, scopes: readonly string[]): unknown {
  const transports = policy['transports'];
  const byScope = isTable(transports) ? transports[transport] : undefined;
  if (!isTable(byScope)) return policy['default'];
  const scope = scopes.find((each) => Object.hasOwn(byScope, each));
  return scope === undefined ? policy['default'] : byScope[scope];
}
