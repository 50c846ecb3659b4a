import { TsmanError } from '../base/error.ts';
import type { Reference } from '../oci/reference.ts';
import type { RegistriesConfig } from './registries.ts';
import type { RegistryRule } from './registry-rules.ts';

/** One place to get a repository from. */
export interface Endpoint {
  readonly registry: string;
  readonly repository: string;
  /** Plain http, or a certificate that does not check out, is allowed. */
  readonly insecure: boolean;
  /** The registry that the reference names: what the user gives for it is not for mirrors. */
  readonly isNamed: boolean;
}

/**
 * Where a reference is to be had, in the order to try: the mirrors, then the registry itself.
 * @throws TsmanError when registries.conf blocks it
 */
export function findEndpoints(config: RegistriesConfig, reference: Reference): Endpoint[] {
  const name = `${reference.registry}/${reference.repository}`;
  const rule = findAllowed(config, name);
  if (rule === undefined) return [endpoint(name, false, reference)];
  const wanted = reference.digest === undefined ? 'tag-only' : 'digest-only';
  const mirrors = rule.mirrors
    .filter(({ pullFrom }) => pullFrom === 'all' || pullFrom === wanted)
    .map(({ location, insecure }) => endpoint(rewrite(name, rule, location), insecure, reference));
  const { location, insecure } = rule;
  return [...mirrors, endpoint(rewrite(name, rule, location), insecure, reference)];
}

/**
 * The registry that a name says, for what is not a pull: mirrors and `location` are for reading
 * images. A push to where the name does not point would be a surprise, and Podman does none.
 * @throws TsmanError when registries.conf blocks it
 */
export function ownEndpoint(
  config: RegistriesConfig,
  { registry, repository }: Pick<Reference, 'registry' | 'repository'>,
): Endpoint {
  const name = `${registry}/${repository}`;
  const insecure = findAllowed(config, name)?.insecure ?? false;
  return { registry, repository, insecure, isNamed: true };
}

function findAllowed(config: RegistriesConfig, name: string): RegistryRule | undefined {
  const rule = findRule(config, name);
  if (rule?.blocked)
    throw new TsmanError(`${name}: registry ${rule.prefix} is blocked in registries.conf`);
  return rule;
}

/** The rule with the longest matching prefix. */
function findRule(config: RegistriesConfig, name: string): RegistryRule | undefined {
  let best: RegistryRule | undefined;
  for (const rule of config.rules) {
    const isLonger = rule.prefix.length > (best?.prefix.length ?? 0);
    if (isLonger && matchLength(rule.prefix, name) !== undefined) best = rule;
  }
  return best;
}

/**
 * How much of the name a prefix stands for: undefined, if it does not. A host stands for itself with
 * every port, as in Podman: a host that is blocked is blocked on all of them.
 */
function matchLength(prefix: string, name: string): number | undefined {
  if (prefix.startsWith('*.')) {
    const host = name.slice(0, name.indexOf('/')).replace(/:\d+$/, '');
    return host.endsWith(prefix.slice(1)) ? host.length : undefined;
  }
  const next = name.slice(prefix.length, prefix.length + 1);
  return name.startsWith(prefix) && ['', '/', ':'].includes(next) ? prefix.length : undefined;
}

function rewrite(name: string, { prefix }: RegistryRule, location: string | undefined): string {
  if (location === undefined || location === '') return name;
  return `${location}${name.slice(matchLength(prefix, name))}`;
}

function endpoint(name: string, insecure: boolean, reference: Reference): Endpoint {
  const slash = name.indexOf('/');
  if (slash === -1) throw new TsmanError(`registries.conf: ${name} has no repository`);
  const registry = name.slice(0, slash);
  const isNamed = registry === reference.registry;
  return { registry, repository: name.slice(slash + 1), insecure, isNamed };
}
