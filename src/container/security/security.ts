import { existsSync } from 'node:fs';
import { TsmanError, UsageError } from '../../base/error.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../mounts/default-mounts.ts';

/** What `--security-opt` and `--privileged` decide. */
export interface SecuritySettings {
  /** `default`, `unconfined` or the path of a profile. */
  readonly seccomp: string;
  readonly noNewPrivileges: boolean;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  /** Mount options of /proc, proc(5): `hidepid=2`. */
  readonly procOptions: readonly string[];
}

/** @throws UsageError for an unknown option; TsmanError for one this host cannot honour */
export function parseSecurityOptions(
  values: readonly string[],
  privileged: boolean,
): SecuritySettings {
  let seccomp = privileged ? 'unconfined' : 'default';
  let noNewPrivileges = false;
  const procOptions: string[] = [];
  const masked = new Set(privileged ? [] : MASKED_PATHS);
  const readonly = new Set(privileged ? [] : READONLY_PATHS);
  for (const value of values) {
    const [key = '', rest] = splitOption(value);
    if (key === 'no-new-privileges') noNewPrivileges = truth(value, rest);
    else if (key === 'seccomp') seccomp = seccompChoice(rest ?? '');
    else if (key === 'mask') for (const path of paths(value, rest)) masked.add(path);
    else if (key === 'unmask') unmask(paths(value, rest), masked, readonly);
    else if (key === 'proc-opts') procOptions.push(...procMountOptions(value, rest));
    else if (value === 'systempaths=unconfined') unmask(['ALL'], masked, readonly);
    else if (key === 'label') requireLabelDisable(value, rest);
    else if (key === 'apparmor') requireUnconfined(value, rest);
    else
      throw new UsageError(`option --security-opt: unknown ${JSON.stringify(value)}`, {
        hint: 'known are seccomp=, no-new-privileges, mask=, unmask=, proc-opts=, label=disable, apparmor=unconfined',
      });
  }
  return {
    ...{ seccomp, noNewPrivileges, procOptions },
    ...{ maskedPaths: [...masked], readonlyPaths: [...readonly] },
  };
}

/** Docker's old spelling is `key:value`, today's `key=value`. */
function splitOption(value: string): [string, string | undefined] {
  const at = value.search(/[=:]/);
  return at === -1 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

/** Anything else must not pass for "no". */
function truth(option: string, value = 'true'): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new UsageError(`option --security-opt ${option}: want true or false`);
}

function seccompChoice(value: string): string {
  if (value === 'unconfined' || value === 'default') return value;
  if (!existsSync(value)) throw new TsmanError(`seccomp profile ${value}: no such file`);
  return value;
}

function paths(option: string, value: string | undefined): string[] {
  const list = (value ?? '').split(':').filter((path) => path !== '');
  if (list.length === 0 || list.some((path) => path !== 'ALL' && !path.startsWith('/'))) {
    throw new UsageError(`option --security-opt ${option}: want absolute paths joined by colons`);
  }
  return list;
}

function unmask(list: readonly string[], masked: Set<string>, readonly: Set<string>): void {
  for (const path of list) {
    for (const set of [masked, readonly]) {
      for (const known of set)
        if (path === 'ALL' || known === path || matchesGlob(path, known)) set.delete(known);
    }
  }
}

/** `/proc/*` covers everything directly below. */
function matchesGlob(pattern: string, path: string): boolean {
  return pattern.endsWith('/*') && path.startsWith(pattern.slice(0, -1));
}

function procMountOptions(option: string, value: string | undefined): string[] {
  const words = (value ?? '').split(',').filter((word) => word !== '');
  if (
    words.length === 0 ||
    words.some((word) => !/^(hidepid|gid|subset)=\w+$|^(ro|rw)$/.test(word))
  )
    throw new UsageError(`option --security-opt ${option}: want hidepid=, gid= or subset=pid`);
  return words;
}

function requireLabelDisable(option: string, value: string | undefined): void {
  if (value === 'disable') return;
  throw new TsmanError(`option --security-opt ${option}: SELinux labels are not supported`, {
    hint: 'only label=disable is accepted',
  });
}

function requireUnconfined(option: string, value: string | undefined): void {
  if (value === 'unconfined') return;
  throw new TsmanError(
    `option --security-opt ${option}: an unprivileged user cannot load or enter AppArmor profiles`,
    { hint: 'only apparmor=unconfined is accepted' },
  );
}
