import { existsSync } from 'node:fs';
import { UsageError } from '../../base/error.ts';
import type { RegistryAccess } from '../../image/registry-access.ts';
import type { CommandContext, OptionSpecs } from '../command.ts';
import { durationMs } from '../duration.ts';

/** The options of every command that talks to a registry. */
export const REGISTRY_OPTIONS = {
  authfile: { kind: 'text', value: 'FILE', help: 'the auth.json to take credentials from' },
  certDir: { kind: 'text', value: 'DIR', help: "the registry's *.crt and our *.cert, *.key" },
  tlsVerify: { kind: 'flag', default: true, help: 'want TLS with a valid certificate' },
} as const satisfies OptionSpecs;

/** And of those that move images. */
export const TRANSFER_OPTIONS = {
  ...REGISTRY_OPTIONS,
  creds: {
    kind: 'text',
    value: 'USER[:PASSWORD]',
    help: 'credentials; others see a password in ps, without one it is asked for',
  },
  retry: {
    kind: 'text',
    value: 'NUMBER',
    help: 'further attempts after a failure that may pass',
    defaultText: '3',
  },
  retryDelay: {
    kind: 'text',
    value: 'DURATION',
    help: 'before the second attempt, doubled each time',
    defaultText: '1s',
  },
  parallelCopies: {
    kind: 'text',
    value: 'NUMBER',
    help: 'blobs at a time',
    defaultText: '3',
  },
  quiet: { kind: 'flag', short: 'q', help: 'no progress' },
  progress: {
    kind: 'text',
    value: 'MODE',
    help: 'how to show progress',
    defaultText: 'auto',
    choices: ['auto', 'plain', 'tty', 'none'],
  },
  disableContentTrust: { kind: 'flag', help: 'ignored', hidden: true },
} as const satisfies OptionSpecs;

/** What was given of them; `run` knows some only. */
export interface RegistryFlags {
  readonly authfile?: string | undefined;
  readonly certDir?: string | undefined;
  readonly tlsVerify?: boolean | undefined;
}

export interface TransferFlags extends RegistryFlags {
  readonly creds?: string | undefined;
  readonly retry?: string | undefined;
  readonly retryDelay?: string | undefined;
  readonly parallelCopies?: string | undefined;
}

export function registryAccess(
  options: RegistryFlags,
  context: Pick<CommandContext, 'isSet'>,
): RegistryAccess {
  return {
    authFile: options.authfile,
    certDir: options.certDir,
    // Not given is not the same as true: registries.conf may say insecure.
    tlsVerify: context.isSet('tlsVerify') ? options.tlsVerify : undefined,
  };
}

/** Asks for the password that `--creds USER` leaves out. */
export async function transferAccess(
  options: TransferFlags,
  context: Pick<CommandContext, 'isSet' | 'stdin' | 'stderr'>,
): Promise<RegistryAccess> {
  // For login a file that is not there is one to be made; here it is a slip.
  if (options.authfile !== undefined && !existsSync(options.authfile))
    throw new UsageError(`option --authfile: ${options.authfile}: no such file`);
  return {
    ...registryAccess(options, context),
    credentials: await readCredentials(options.creds, context),
    retry: wholeNumber('--retry', options.retry, 0),
    parallel: wholeNumber('--parallel-copies', options.parallelCopies, 1),
    retryDelayMs:
      options.retryDelay === undefined
        ? undefined
        : durationMs(options.retryDelay, '--retry-delay'),
  };
}

/** @throws UsageError for anything but a whole number of at least `least` */
export function wholeNumber(
  option: string,
  text: string | undefined,
  least: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not a number from ${least}`);
}

async function readCredentials(
  text: string | undefined,
  { stdin, stderr }: Pick<CommandContext, 'stdin' | 'stderr'>,
): Promise<RegistryAccess['credentials']> {
  if (text === undefined) return undefined;
  const [username = ''] = text.split(':', 1);
  // The text itself is not quoted: it holds a password.
  if (username === '') throw new UsageError('option --creds: want USER[:PASSWORD]');
  const password = text.slice(username.length + 1);
  if (password !== '') return { username, password };
  const { ask, canAsk } = await import('../prompt.ts');
  if (!canAsk(stdin))
    throw new UsageError('option --creds: there is no terminal to ask for the password', {
      hint: 'log in with --password-stdin, or give USER:PASSWORD',
    });
  return { username, password: await ask(stdin, stderr, 'Password: ', true) };
}
