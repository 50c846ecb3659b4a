import {
  EXIT_CANNOT_EXECUTE,
  EXIT_ENGINE_FAILED,
  EXIT_NOT_FOUND,
  type FailureDetails,
  TsmanError,
} from '../base/error.ts';
import { nodeUtil } from '../base/late-modules.ts';
import { localHint, type RemedyName } from '../base/remedies.ts';

/** A failure as the helper reports it: native/README.md, "Report". */
export interface HelperFailure {
  readonly step: string;
  readonly subject: string;
  readonly errno: number;
}

/** A step of the helper failed. The step's name lets `tsman doctor`'s checks look for the reason. */
export class HelperError extends TsmanError {
  readonly step: string;

  constructor(message: string, step: string, details: FailureDetails) {
    super(message, details);
    this.step = step;
  }
}

/** Words a helper's failure: what, step, subject, reason, and what to do about it where we know. */
export function describeFailure(what: string, failure: HelperFailure): TsmanError {
  const { name, text } = errnoText(failure.errno);
  // What the network process said is a reason by itself.
  const isQuoted = failure.step === 'network-process' && name === 'EIO';
  const sentence = REASONS[`${failure.step} ${name}`] ?? `${text} (${name})`;
  const reason = failure.errno === 0 || isQuoted ? '' : `: ${sentence}`;
  const said = isQuoted
    ? failure.subject.replace(/\n/g, '; ').replace(/tsman-helper: (network: )?/g, '')
    : failure.subject;
  const subject = said === '' ? '' : ` ${said}`;
  const details = { hint: hintFor(failure, name), exitCode: exitCodeFor(failure, name) };
  return new HelperError(`${what}: ${failure.step}${subject}${reason}`, failure.step, details);
}

/** Where the kernel's sentence would mislead: there is no file that does not exist. */
const REASONS: Readonly<Record<string, string>> = {
  'user ENOENT': 'not in /etc/passwd of the image',
  'group ENOENT': 'not in /etc/group of the image',
};

/** `--user` has an id beyond those that the namespace maps. */
function isUnmappedID({ step, subject }: Omit<HelperFailure, 'errno'>, errno: string): boolean {
  const isIdentity = ['setresuid', 'setresgid', 'setgroups'].includes(step);
  return isIdentity && subject === '' && errno === 'EINVAL';
}

function exitCodeFor(failure: HelperFailure, errno: string): number {
  // An unknown user or a working directory that cannot be entered: Docker's and Podman's codes too.
  if (isUnmappedID(failure, errno)) return EXIT_CANNOT_EXECUTE;
  if (!['exec', 'user', 'group', 'cwd'].includes(failure.step)) return EXIT_ENGINE_FAILED;
  if (failure.step === 'user' || failure.step === 'group') return EXIT_CANNOT_EXECUTE;
  return errno === 'ENOENT' ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}

/** Used where nobody looks closer; main asks the doctor's checks first, who know which it is. */
const REMEDIES_OF_STEPS: Readonly<Record<string, RemedyName>> = {
  unshare: 'unprivileged-userns-clone',
  clone: 'unprivileged-userns-clone',
  newuidmap: 'idmap-missing',
  newgidmap: 'idmap-missing',
  'network-process': 'pasta-missing',
};

/** What helps against the failures that users meet, by step and errno. */
function hintFor({ step, subject }: HelperFailure, errno: string): string | undefined {
  if (step === 'exec' && errno === 'ENOENT')
    return `is ${subject} in the image, and in its PATH? A script also needs its interpreter`;
  if (step === 'exec' && errno === 'EACCES')
    return `${subject} is not executable, or its file system is mounted noexec`;
  if (step === 'exec' && errno === 'ENOEXEC')
    return `${subject} is for another architecture, or a script without #!`;
  if (step === 'lock') return 'it is running already';
  if (step === 'network-process' && subject.includes('Address already in use'))
    return 'network inspect shows which container has an address, ps who has a port';
  // It is there, and has said itself what it lacks.
  if (step === 'network-process' && errno !== 'ENOENT') return 'tsman doctor looks closer';
  const remedies = REMEDIES_OF_STEPS[step];
  if (remedies !== undefined) return `${localHint(remedies)}; tsman doctor looks closer`;
  if (isUnmappedID({ step, subject }, errno))
    return 'the user namespace has no such id; tsman unshare cat /proc/self/uid_map shows how many it has';
  if (step === 'user' || step === 'group')
    return 'the user or group must be a number, or be in the /etc/passwd or /etc/group of the image';
  return undefined;
}

/** `ENOENT` and its sentence, for a Linux errno. */
function errnoText(errno: number): { name: string; text: string } {
  const entry = nodeUtil().getSystemErrorMap().get(-errno);
  return { name: entry?.[0] ?? `errno ${errno}`, text: entry?.[1] ?? 'unknown error' };
}
