import { TsmanError } from '../base/error.ts';
import { authFilePaths, primaryAuthFile } from '../config/auth-file.ts';
import { findLogin, removeAllLogins, removeLogin } from '../config/logins.ts';
import { helpersFor, parseLoginKey } from '../image/login.ts';
import { defineCommand } from './command.ts';

export const logoutCommand = defineCommand({
  paths: [['logout']],
  category: 'Registries',
  summary: 'forget the credentials for a registry',
  usage: '[REGISTRY]',
  examples: [
    ['From one registry', 'tsman logout registry.example.com'],
    ['Forget all of them', 'tsman logout --all'],
  ],
  options: {
    authfile: { kind: 'text', value: 'FILE', help: 'the auth.json to change' },
    compatAuthFile: {
      kind: 'text',
      value: 'FILE',
      help: "a file of Docker's form to change instead",
    },
    all: { kind: 'flag', short: 'a', help: 'every registry' },
  },
  arguments: [0, 1],
  async run(options, [typed], { stdout, env }) {
    const file =
      options.compatAuthFile ?? options.authfile ?? env['REGISTRY_AUTH_FILE'] ?? primaryAuthFile();
    const helpers = await helpersFor(options.compatAuthFile ?? options.authfile, env);
    if (options.all) {
      await removeAllLogins(file, helpers);
      stdout.write('Removed login credentials for all registries\n');
      return 0;
    }
    const { key, registry } = parseLoginKey(typed);
    if (await removeLogin(file, key, helpers)) {
      stdout.write(`Removed login credentials for ${key}\n`);
      return 0;
    }
    const other = await findLogin({ registry, authFile: options.authfile });
    if (other === undefined) throw new TsmanError(`not logged in to ${key}`);
    throw new TsmanError(`not logged in to ${key} with ${file}`, {
      hint: `there are credentials in another file: see ${authFilePaths(options.authfile).join(', ')}`,
    });
  },
});
