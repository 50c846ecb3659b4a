import { TsmanError, UsageError } from '../base/error.ts';

/** The options before the command's name. */
export interface GlobalOptions {
  readonly root?: string | undefined;
  readonly runRoot?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
  /** The directory of Docker's config.json. */
  readonly config?: string | undefined;
  readonly storageDriver?: string | undefined;
  readonly modules: readonly string[];
  /** `KEY=VALUE` */
  readonly storageOpts: readonly string[];
  /** Where CDI files lie, instead of the usual places. */
  readonly cdiSpecDirs: readonly string[];
}

const LOG_LEVELS = [
  'trace',
  'debug',
  'info',
  'warn',
  'warning',
  'error',
  'fatal',
  'panic',
] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type Single = 'root' | 'runRoot' | 'logLevel' | 'config' | 'storageDriver';
type Repeated = 'modules' | 'storageOpts' | 'cdiSpecDirs';

/** The words that take a value. */
const VALUE_OPTIONS: ReadonlyMap<string, Single | Repeated> = new Map([
  ['--root', 'root'],
  ['--runroot', 'runRoot'],
  ['--log-level', 'logLevel'],
  ['-l', 'logLevel'],
  ['--config', 'config'],
  ['--module', 'modules'],
  ['--storage-driver', 'storageDriver'],
  ['--storage-opt', 'storageOpts'],
  ['--cdi-spec-dir', 'cdiSpecDirs'],
]);

/** Takes the options off the front, as Podman and Docker have them. @throws UsageError, TsmanError */
export function takeGlobalOptions(argv: readonly string[]): {
  rest: readonly string[];
  options: GlobalOptions;
} {
  const values: Partial<Record<Single, string>> = {};
  const lists: Record<Repeated, string[]> = { modules: [], storageOpts: [], cdiSpecDirs: [] };
  let at = 0;
  for (; at < argv.length; at++) {
    const [name, inline] = splitOnce(argv[at] as string, '=');
    if ((name === '--debug' || name === '-D') && inline !== 'false') values.logLevel = 'debug';
    const key = VALUE_OPTIONS.get(name);
    if (key === undefined) {
      if (isRefused(name, inline)) continue;
      break;
    }
    const value = inline ?? argv[++at];
    if (value === undefined) throw new UsageError(`option ${name} needs a value`);
    if (isRepeated(key)) lists[key].push(value);
    else values[key] = value;
  }
  const { logLevel, ...rest } = values;
  return {
    rest: argv.slice(at),
    options: { ...rest, logLevel: level(logLevel), ...lists },
  };
}

function isRepeated(key: Single | Repeated): key is Repeated {
  return key === 'modules' || key === 'storageOpts' || key === 'cdiSpecDirs';
}

/** True for a switch that asks for what is so anyway. @throws TsmanError for what cannot be had */
function isRefused(name: string, value: string | undefined): boolean {
  if (name === '--debug' || name === '-D') return true;
  const because = REFUSED[name];
  if (because === undefined) return false;
  if (value === 'false') return true;
  throw new TsmanError(`option ${name}: ${because}`);
}

const NO_DAEMON = 'tsman has no daemon to talk to; leave it out';
const NO_RUNTIME = 'tsman has a runtime of its own; leave it out';
const REFUSED: Readonly<Record<string, string>> = {
  '--host': NO_DAEMON,
  '-H': NO_DAEMON,
  '--context': NO_DAEMON,
  '-c': NO_DAEMON,
  '--tls': NO_DAEMON,
  '--tlscacert': NO_DAEMON,
  '--tlscert': NO_DAEMON,
  '--tlskey': NO_DAEMON,
  '--tlsverify': NO_DAEMON,
  '--remote': NO_DAEMON,
  '-r': NO_DAEMON,
  '--url': NO_DAEMON,
  '--connection': NO_DAEMON,
  '--identity': NO_DAEMON,
  '--ssh': NO_DAEMON,
  '--conmon': NO_RUNTIME,
  '--runtime': NO_RUNTIME,
  '--runtime-flag': NO_RUNTIME,
  '--cgroup-manager': 'tsman takes the cgroups that were delegated to it; leave it out',
  '--events-backend': 'events are kept in a file; leave it out',
  '--hooks-dir': 'OCI hooks are not run',
  '--imagestore': 'there is one store, --root',
  '--network-cmd-path': 'pasta is looked for in PATH',
  '--out': 'redirect with > FILE',
  '--noout': 'redirect with > /dev/null',
  '--syslog': 'messages go to stderr',
  '--tmpdir': 'use --runroot',
  '--transient-store': 'use a --root on a tmpfs',
  '--volumepath': 'volumes lie in --root',
};

function level(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined;
  const found = LOG_LEVELS.find((each) => each === text.toLowerCase());
  if (found === undefined)
    throw new UsageError(
      `option --log-level: ${JSON.stringify(text)} is none of ${LOG_LEVELS.join(', ')}`,
    );
  return found;
}

/** Whether messages of `wanted` are printed. */
export function logs({ logLevel = 'warn' }: GlobalOptions, wanted: 'debug' | 'info'): boolean {
  return LOG_LEVELS.indexOf(logLevel) <= LOG_LEVELS.indexOf(wanted);
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
