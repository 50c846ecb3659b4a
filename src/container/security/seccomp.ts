import * as fs from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../../base/error.ts';
import { configHome } from '../../base/home.ts';
import { nodeChildProcess } from '../../base/late-modules.ts';
import { kernelRelease } from '../../base/process.ts';
import { VERSION } from '../../base/version.ts';
import { helperPath, sharePath } from '../../helper/location.ts';
import { capabilityMask } from './capabilities.ts';

/** A profile in the format of Docker and containers-common; see seccomp.json(5) of containers-common. */
interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly syscalls?: readonly ProfileRule[];
}

interface ProfileRule {
  readonly names?: readonly string[];
  readonly name?: string;
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?:
    | readonly {
        readonly index: number;
        readonly value: number;
        readonly valueTwo?: number;
        readonly op: string;
      }[]
    | null;
  readonly includes?: RuleCondition;
  readonly excludes?: RuleCondition;
}

interface RuleCondition {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

/**
 * The compiled program for a profile and a capability set, made when it is not in the cache.
 * Compiling costs about 10 ms, so it is kept under a name that changes whenever its inputs do.
 * @param choice `default`, `unconfined` or the path of a profile
 * @param capabilities the container's, as `CAP_…`: profiles allow more to those that have more
 * @returns the path, or undefined for `unconfined`
 */
export function seccompProgram(
  dataRoot: string,
  choice: string,
  capabilities: readonly string[],
): string | undefined {
  if (choice === 'unconfined') return undefined;
  const profilePath = choice === 'default' ? defaultProfile() : choice;
  const stat = fs.statSync(profilePath, { throwIfNoEntry: false });
  if (stat === undefined) throw new TsmanError(`seccomp profile ${profilePath}: no such file`);
  const identity = [
    VERSION,
    process.arch,
    kernelRelease(),
    stat.dev,
    stat.ino,
    stat.size,
    stat.mtimeMs,
    capabilityMask(capabilities),
  ].join('-');
  const directory = join(dataRoot, 'cache/seccomp');
  const program = join(directory, `${identity}.bpf`);
  if (!fs.existsSync(program)) compile(profilePath, capabilities, directory, program);
  return program;
}

/** The user's, the administrator's, or ours. */
function defaultProfile(): string {
  const own = [join(configHome(), 'containers/seccomp.json'), '/etc/containers/seccomp.json'].find(
    (path) => fs.existsSync(path),
  );
  return own ?? sharePath('seccomp.json');
}

function compile(
  profilePath: string,
  capabilities: readonly string[],
  directory: string,
  program: string,
): void {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const rules = `${program}.${process.pid}.rules`;
  fs.writeFileSync(rules, flattenProfile(readProfile(profilePath), new Set(capabilities)), {
    mode: 0o600,
  });
  try {
    // The helper writes the program aside and renames it: two commands at once do no harm.
    nodeChildProcess().execFileSync(helperPath(), ['seccomp', rules, program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (cause) {
    const text = (cause as { stderr?: Buffer }).stderr?.toString().trim();
    throw new TsmanError(`compile seccomp profile ${profilePath}: ${text ?? ''}`, {
      hint: '--security-opt seccomp=unconfined does without',
    });
  } finally {
    fs.rmSync(rules, { force: true });
  }
}

function readProfile(path: string): Profile {
  try {
    const profile = JSON.parse(fs.readFileSync(path, 'utf8')) as Profile;
    if (typeof profile.defaultAction !== 'string') throw new Error('no defaultAction');
    return profile;
  } catch (cause) {
    throw new TsmanError(`read seccomp profile ${path}`, { cause });
  }
}

/** Docker's names of the architectures this one runs, and the SCMP_ARCH_… of the foreign ones. */
const ARCHES: Readonly<Record<string, { names: readonly string[]; sub: readonly string[] }>> = {
  x64: { names: ['amd64', 'x86', 'x32'], sub: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
  arm64: { names: ['arm64', 'arm'], sub: ['SCMP_ARCH_ARM'] },
};

/** The rules that apply here, one a line, as native/README.md ("Seccomp rules") has them. */
export function flattenProfile(profile: Profile, capabilities: ReadonlySet<string>): string {
  const arch = ARCHES[process.arch] ?? { names: [], sub: [] };
  const lines = [
    `default ${profile.defaultAction} ${profile.defaultErrnoRet ?? EPERM}`,
    ...arch.sub.map((name) => `arch ${name}`),
  ];
  for (const rule of profile.syscalls ?? []) {
    if (!applies(rule, capabilities, arch.names)) continue;
    const args = (rule.args ?? [])
      .map(({ index, op, value, valueTwo }) => ` ${index} ${op} ${value} ${valueTwo ?? 0}`)
      .join('');
    for (const name of [...(rule.names ?? []), ...(rule.name === undefined ? [] : [rule.name])]) {
      if (!/^[a-z0-9_]+$/.test(name))
        throw new TsmanError(`seccomp profile: invalid syscall name ${JSON.stringify(name)}`);
      lines.push(`rule ${rule.action} ${rule.errnoRet ?? EPERM} ${name}${args}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

const EPERM = 1;

function applies(
  { includes, excludes }: ProfileRule,
  capabilities: ReadonlySet<string>,
  arches: readonly string[],
): boolean {
  if (
    includes?.caps?.some((cap) => !capabilities.has(cap)) ||
    excludes?.caps?.some((cap) => capabilities.has(cap))
  )
    return false;
  if (includes?.arches !== undefined && !includes.arches.some((arch) => arches.includes(arch)))
    return false;
  if (excludes?.arches?.some((arch) => arches.includes(arch))) return false;
  if (includes?.minKernel !== undefined && !kernelIsAtLeast(includes.minKernel)) return false;
  return excludes?.minKernel === undefined || !kernelIsAtLeast(excludes.minKernel);
}

function kernelIsAtLeast(version: string): boolean {
  const [major = 0, minor = 0] = kernelRelease().split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
