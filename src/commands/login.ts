import { TsmanError, UsageError } from '../base/error.ts';
import { dockerConfigPath, type Login, primaryAuthFile } from '../config/auth-file.ts';
import { findLogin, saveLogin } from '../config/logins.ts';
import { checkLogin, type LoginKey, parseLoginKey } from '../image/login.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { ask, canAsk, readSecret } from './prompt.ts';
import { REGISTRY_OPTIONS, registryAccess } from './registry-options.ts';

export const loginCommand = defineCommand({
  paths: [['login']],
  category: 'Registries',
  summary: 'keep the credentials for a registry',
  usage: '[REGISTRY]',
  examples: [
    ['Ask for user and password', 'tsman login quay.io'],
    ['In a script', 'tsman login -u me --password-stdin quay.io < password'],
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
      authFile: options.authfile,
    });
    if (options.getLogin) {
      if (known === undefined) throw new TsmanError(`not logged in to ${target.key}`);
      context.stdout.write(`${known.username}\n`);
      return 0;
    }
    if (options.password !== undefined && options.passwordStdin)
      throw new UsageError('--password and --password-stdin exclude each other');
    const login = await readLogin(options, known, context);
    await checkLogin(target, login, access);
    const file =
      options.compatAuthFile ??
      options.authfile ??
      context.env['REGISTRY_AUTH_FILE'] ??
      primaryAuthFile();
    const isDockers = options.compatAuthFile !== undefined || file === dockerConfigPath();
    const keeper = await saveLogin(
      file,
      isDockers && target.key === 'docker.io' ? 'https://index.docker.io/v1/' : target.key,
      login,
    );
    context.stdout.write(`Login Succeeded!\n${options.verbose ? `Used: ${keeper}\n` : ''}`);
    return 0;
  },
});

function path({ key, registry }: LoginKey): string | undefined {
  return key === registry ? undefined : key.slice(registry.length + 1);
}

interface Given {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly passwordStdin: boolean;
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
