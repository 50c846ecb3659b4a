import * as fs from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { TsmanError, UsageError } from '../../base/error.ts';
import { parseLabels } from '../../container/environment.ts';
import { recordObjectEvent } from '../../container/events/events.ts';
import { listSecrets, putSecret, SECRET_MAX_BYTES } from '../../storage/secrets.ts';
import { defineCommand } from '../command.ts';

export const secretCreateCommand = defineCommand({
  paths: [['secret', 'create']],
  category: 'Containers',
  summary: 'store a secret',
  usage: 'NAME FILE|-',
  examples: [
    ['From a file', 'tsman secret create db db.txt'],
    ['From a variable', 'tsman secret create --env db DB_PASSWORD'],
    ['From a pipe', 'pass show db | tsman secret create db -'],
  ],
  options: {
    driver: { kind: 'text', short: 'd', value: 'DRIVER', help: 'file, the only one' },
    env: { kind: 'flag', help: 'FILE is the name of an environment variable' },
    ignore: { kind: 'flag', help: 'no error when it exists; it stays as it is' },
    label: { kind: 'list', short: 'l', value: 'KEY=VALUE', help: 'add a label' },
    replace: { kind: 'flag', help: 'change the content of one that exists' },
  },
  arguments: [2, 2],
  async run(options, [name = '', file = ''], { openEngine, stdin, stdout, env }) {
    if ((options.driver ?? 'file') !== 'file')
      throw new TsmanError(`secret driver ${options.driver}: there is only file`);
    if (name.length > 253 || !/^[^,/=\0]+$/.test(name))
      throw new UsageError(`invalid secret name ${JSON.stringify(name)}: no "/", "," or "="`);
    const { storage } = openEngine();
    const old = listSecrets(storage).find((secret) => secret.name === name);
    if (old !== undefined && options.ignore) {
      stdout.write(`${old.id}\n`);
      return 0;
    }
    const content = options.env
      ? Buffer.from(variable(env, file))
      : file === '-'
        ? await buffer(stdin)
        : fs.readFileSync(file);
    if (content.length === 0 || content.length > SECRET_MAX_BYTES)
      throw new TsmanError(
        `secret ${name}: ${content.length} bytes; it must have 1 to ${SECRET_MAX_BYTES}`,
      );
    const labels = parseLabels(options.label, []);
    const secret = putSecret(storage, { name, labels, content }, options.replace);
    if (old !== undefined) recordObjectEvent(storage, 'secret', 'remove', old);
    recordObjectEvent(storage, 'secret', 'create', secret);
    stdout.write(`${secret.id}\n`);
    return 0;
  },
});

function variable(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined) throw new TsmanError(`environment variable ${name} is not set`);
  return value;
}
