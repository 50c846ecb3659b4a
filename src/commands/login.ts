import { TsmanError, UsageError } from '../base/error.ts';
import { dockerConfigPath, type Login, primaryAuthFile } from '../config/auth-file.ts';
import { findLogin, saveLogin } from '../config/logins.ts';
import { checkLogin, helpersFor, type LoginKey, parseLoginKey } from '../image/login.ts';
import type { RegistryAccess } from '../image/registry-access.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { REGISTRY_OPTIONS, registryAccess } from './options/registry-options.ts';
import { ask, canAsk, readSecret } from './prompt.ts';

export const loginCommand = defineCommand({
  paths: [['login']],
  category: 'Registries',
  summary: 'keep the credentials for a registry',
  usage: '[REGISTRY]',
  examples: [
    ['Ask for user and password', 'tsman login quay.io'],
    ['In a script', 'tsman login -u me --password-stdin quay.io < password'],
    ['Another account for one part of a registry', 'tsman login -u team quay.io/team'],
  ],
  options: {
    ...REGISTRY_OPTIONS,
    username: { kind: 'text', short: 'u', value: 'USER', help: 'user name' },
    password: {
      kind: 'text',
      short: 'p',
      value: 'PASSWORD',
      help: 'password; others can see it in ps',
    },
    passwordStdin: { kind: 'flag', help: 'read the password from standard input' },
    secret: {
      kind: 'text',
      value: 'NAME',
      help: 'take the password from a secret; its name is the user name unless --username is given',
    },
    getLogin: { kind: 'flag', help: 'print the user logged in and do nothing else' },
    compatAuthFile: {
      kind: 'text',
      value: 'FILE',
      help: "write to a file of Docker's form instead",
    },
    verbose: { kind: 'flag', short: 'v', help: 'say where the credentials went' },
  },
  arguments: [0, 1],
  async run(options, [typed], context) {
    const target = parseLoginKey(typed);
    const access = registryAccess(options, context);
    const known = await findLogin({
      registry: target.registry,
      repository: path(target),
      authFile: options.compatAuthFile ?? options.authfile,
    });
    if (options.getLogin) {
      if (known === undefined) throw new TsmanError(`not logged in to ${target.key}`);
      context.stdout.write(`${known.username}\n`);
      return 0;
    }
    const given = await withSecret(options, context);
    if (isNothing(given) && (await stillCounts(target, known, access, context))) return 0;
    const login = await readLogin(given, known, context);
    await checkLogin(target, login, access);
    const keeper = await keep(target, login, options, context);
    context.stdout.write(`Login Succeeded!\n${options.verbose ? `Used: ${keeper}\n` : ''}`);
    return 0;
  },
});

function path({ key, registry }: LoginKey): string | undefined {
  return key === registry ? undefined : key.slice(registry.length + 1);
}

interface Given {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordStdin: boolean;
}

function isNothing({ username, password, passwordStdin }: Given): boolean {
  return username === undefined && password === undefined && !passwordStdin;
}

async function withSecret(
  options: Given & { readonly secret?: string | undefined },
  { openEngine }: CommandContext,
): Promise<Given> {
  const { secret, username, password, passwordStdin } = options;
  const sources = [password !== undefined, passwordStdin, secret !== undefined];
  if (sources.filter(Boolean).length > 1)
    throw new UsageError('--password, --password-stdin and --secret exclude each other');
  if (secret === undefined) return options;
  const { findSecret, readSecret: readContent } = await import('../storage/secrets.ts');
  const { storage } = openEngine();
  const found = findSecret(storage, secret);
  const content = readContent(storage, found).toString();
  return {
    username: username ?? found.name,
    password: content.replace(/\r?\n$/, ''),
    passwordStdin: false,
  };
}

/** Asked for nothing new: the credentials there are may do, as with Podman. */
async function stillCounts(
  target: LoginKey,
  known: Login | undefined,
  access: RegistryAccess,
  { stdin, stdout, stderr }: CommandContext,
): Promise<boolean> {
  if (known === undefined) return false;
  stdout.write(`Authenticating with existing credentials for ${target.key}\n`);
  try {
    await checkLogin(target, known, access);
    stdout.write(`Existing credentials are valid. Already logged in to ${target.key}\n`);
    return true;
  } catch (error) {
    if (!canAsk(stdin)) throw error;
    stderr.write('Existing credentials are invalid, please enter valid username and password\n');
    return false;
  }
}

async function keep(
  target: LoginKey,
  login: Login,
  options: {
    readonly compatAuthFile?: string | undefined;
    readonly authfile?: string | undefined;
  },
  { env }: CommandContext,
): Promise<string> {
  const given = options.compatAuthFile ?? options.authfile;
  const file = given ?? env['REGISTRY_AUTH_FILE'] ?? primaryAuthFile();
  const isDockers = options.compatAuthFile !== undefined || file === dockerConfigPath();
  const key = isDockers && target.key === 'docker.io' ? 'https://index.docker.io/v1/' : target.key;
  return saveLogin(file, key, login, await helpersFor(given, env));
}

async function readLogin(
  given: Given,
  known: Login | undefined,
  { stdin, stderr }: CommandContext,
): Promise<Login> {
  const isComplete =
    given.username !== undefined && (given.password !== undefined || given.passwordStdin);
  if (!isComplete && !canAsk(stdin)) {
    throw new UsageError('there is no terminal to ask for user name and password', {
      hint: 'give -u USER and --password-stdin',
    });
  }
  const username =
    given.username ??
    ((await ask(stdin, stderr, `Username${known === undefined ? '' : ` (${known.username})`}: `)) ||
      known?.username);
  if (username === undefined || username === '' || username.includes(':'))
    throw new UsageError('the user name is empty or holds a colon');
  const password = given.passwordStdin
    ? await readSecret(stdin)
    : (given.password ?? (await ask(stdin, stderr, 'Password: ', true)));
  if (password === '') throw new UsageError('the password is empty');
  return { username, password };
}
