import type { Check, Finding } from './check.ts';
import { DEVICE_CHECKS } from './device-checks.ts';
import { DISK_CHECKS } from './disk-checks.ts';
import type { Host } from './host.ts';
import { ID_CHECKS } from './id-checks.ts';
import { NAMESPACE_CHECKS } from './namespace-checks.ts';
import { SESSION_CHECKS } from './session-checks.ts';

/** All checks, in the order in which a container needs what they ask for. */
export const CHECKS: readonly Check[] = [
  ...NAMESPACE_CHECKS,
  ...ID_CHECKS,
  ...DEVICE_CHECKS,
  ...SESSION_CHECKS,
  ...DISK_CHECKS,
];

export interface Result extends Finding {
  readonly check: string;
}

/** Asks everything. */
export function examine(host: Host): Result[] {
  const results = CHECKS.filter((check) => host.uid !== 0 || check.forUsers !== true).map(
    (check) => ({ check: check.name, ...check.run(host) }),
  );
  return withoutEchoes(results);
}

/** Subordinate uids and gids are added by the same command: what lacks both is said once. */
function withoutEchoes(results: readonly Result[]): Result[] {
  const fixes = new Set<string>();
  return results.filter(({ fix }) => {
    if (fix === undefined) return true;
    const isNew = !fixes.has(fix);
    fixes.add(fix);
    return isNew;
  });
}

/** What explains that a step of the helper failed, if a check finds it. */
export function diagnose(host: Host, step: string): Finding | undefined {
  return CHECKS.filter(
    (check) => check.steps?.includes(step) && (host.uid !== 0 || check.forUsers !== true),
  )
    .map((check) => check.run(host))
    .find(({ verdict }) => verdict === 'missing');
}
