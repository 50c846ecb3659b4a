import { UsageError } from '../base/error.ts';
import type { PlanRecord } from '../helper/plan.ts';

/** When the monitor runs an ended container again. */
export interface RestartPolicy {
  readonly name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** For `on-failure`; 0 = as often as it fails. */
  readonly maximumRetryCount: number;
}

export const NO_RESTART: RestartPolicy = { name: 'no', maximumRetryCount: 0 };

/** Parses `--restart no|never|on-failure[:N]|always|unless-stopped`. @throws UsageError */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [, name = '', count] = /^([a-z-]*)(?::(\d+))?$/.exec(text) ?? [];
  if (name === 'no' || name === 'never' || text === '') {
    if (count === undefined) return NO_RESTART;
  } else if (name === 'on-failure') {
    return { name, maximumRetryCount: Number(count ?? 0) };
  } else if ((name === 'always' || name === 'unless-stopped') && count === undefined) {
    return { name, maximumRetryCount: 0 };
  }
  throw new UsageError(
    `option --restart: ${JSON.stringify(text)} is not no, on-failure[:N], always or unless-stopped`,
  );
}

/** As Podman: what removes the container when it ends cannot also keep it running. @throws UsageError */
export function checkRestartWithRemove(policy: RestartPolicy, autoRemove: boolean): void {
  if (autoRemove && policy.name !== 'no' && policy.name !== 'on-failure')
    throw new UsageError(`options --rm and --restart ${policy.name} exclude each other`);
}

/** `unless-stopped` differs from `always` only after a boot (shouldStartOnBoot). */
export function restartRecords(policy: RestartPolicy | undefined): PlanRecord[] {
  if (policy === undefined || policy.name === 'no') return [];
  const word = policy.name === 'unless-stopped' ? 'always' : policy.name;
  return [['restart', word, policy.maximumRetryCount]];
}
