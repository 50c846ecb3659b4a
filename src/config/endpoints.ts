import { TsmanError } from '../base/error.ts';
import type { Reference } from '../oci/reference.ts';
import type { RegistriesConfig, RegistryRule } from './registries.ts';

/** One place to get a repository from. */
export interface Endpoint {
  readonly registry: string;
  readonly repository: string;
  /** Plain http, or a certificate that does not check out, is allowed. */
  readonly insecure: boolean;
  readonly isMirror: boolean;
}

/**
 * Where a reference is to be had, in the order to try: the mirrors, then the registry itself.
 * @throws TsmanError when registries.conf blocks it
 */
export function findEndpoints(config: RegistriesConfig, reference: Reference): Endpoint[] {
  const name = `${reference.registry}/${reference.repository}`;
  const rule = findRule(config, name);
  if (rule === undefined) return [endpoint(name, { insecure: false, isMirror: false })];
  if (rule.blocked)
    throw new TsmanError(`${name}: registry ${rule.prefix} is blocked in registries.conf`);
  const wanted = reference.digest === undefined ? 'tag-only' : 'digest-only';
  const mirrors = rule.mirrors
    .filter(({ pullFrom }) => pullFrom === 'all' || pullFrom === wanted)
    .map(({ location, insecure }) =>
      endpoint(rewrite(name, rule, location), { insecure, isMirror: true }),
    );
  const { location, insecure } = rule;
  return [...mirrors, endpoint(rewrite(name, rule, location), { insecure, isMirror: false })];
}

/** The rule with the longest matching prefix. */
function findRule(config: RegistriesConfig, name: string): RegistryRule | undefined {
  let best: RegistryRule | undefined;
  for (const rule of config.rules) {
    if (matches(rule.prefix, name) && rule.prefix.length > (best?.prefix.length ?? 0)) best = rule;
  }
  return best;
}

function matches(prefix: string, name: string): boolean {
  if (prefix.startsWith('*.')) {
    const host = name.slice(0, name.indexOf('/')).replace(/:\d+$/, '');
    return host.endsWith(prefix.slice(1));
  }
  return name === prefix || name.startsWith(`${prefix}/`);
}

function rewrite(name: string, { prefix }: RegistryRule, location: string | undefined): string {
  if (location === undefined || location === '') return name;
  const matched = prefix.startsWith('*.') ? name.slice(0, name.indexOf('/')) : prefix;
  return `${location}${name.slice(matched.length)}`;
}

function endpoint(name: string, rest: Pick<Endpoint, 'insecure' | 'isMirror'>): Endpoint {
  const slash = name.indexOf('/');
  if (slash === -1) throw new TsmanError(`registries.conf: ${name} has no repository`);
  return { registry: name.slice(0, slash), repository: name.slice(slash + 1), ...rest };
}
