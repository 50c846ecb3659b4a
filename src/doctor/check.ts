import { type RemedyName, type RemedyValues, remedy } from '../base/remedies.ts';
import type { Host } from './host.ts';

/**
 * `missing`: containers do not run, or break in ways that are hard to understand. `limited`: something
 * that not everybody needs does not work.
 */
export type Verdict = 'ok' | 'limited' | 'missing';

export interface Finding {
  readonly verdict: Verdict;
  /** What is wrong or, when nothing is, what was found. */
  readonly text: string;
  /** The one command that mends it. */
  readonly fix?: string;
  /** Which row of REMEDIES; absent when all is well. */
  readonly problem?: RemedyName;
}

/** One question to the machine. */
export interface Check {
  /** As doctor prints it, e.g. `subordinate ids`. */
  readonly name: string;
  /** Steps of the helper that fail when this is not in order: their errors quote the finding. */
  readonly steps?: readonly string[];
  /** Not asked of root, who needs no user namespace. */
  readonly forUsers?: true;
  run(host: Host): Finding;
}

export function ok(text: string): Finding {
  return { verdict: 'ok', text };
}

/** A finding in the words of REMEDIES. */
export function problem(
  verdict: 'limited' | 'missing',
  name: RemedyName,
  host: Host,
  values: RemedyValues = {},
): Finding {
  const { cause, fix } = remedy(name, {
    user: host.user,
    uid: String(host.uid),
    gid: String(host.gid),
    release: host.release,
    share: host.share,
    osRelease: host.read('/etc/os-release') ?? '',
    ...values,
  });
  return { verdict, text: cause, fix, problem: name };
}

/** A sysctl's value: `sysctl(host, 'kernel.unprivileged_userns_clone')`. */
export function sysctl(host: Host, name: string): string | undefined {
  return host.read(`/proc/sys/${name.replaceAll('.', '/')}`)?.trim();
}

/** Whether `release` is at least `major.minor`. */
export function isKernelAtLeast(release: string, major: number, minor: number): boolean {
  const [, first = '0', second = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}

/** The first of the directories of PATH (and the usual ones) that has the program. */
export function findProgram(host: Host, name: string): string | undefined {
  const path = (host.env['PATH'] ?? '').split(':').filter((directory) => directory !== '');
  return [...path, '/usr/bin', '/usr/sbin']
    .map((directory) => `${directory}/${name}`)
    .find((file) => ((host.stat(file)?.mode ?? 0) & 0o111) !== 0);
}
