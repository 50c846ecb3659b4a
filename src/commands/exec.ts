import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/detach-keys.ts';
import { execAndBecome } from '../container/exec.ts';
import { defineCommand } from './command.ts';
import { existingContainer } from './selection.ts';

export const execCommand = defineCommand({
  paths: [['exec'], ['container', 'exec']],
  category: 'Containers',
  summary: 'run a command in a running container',
  usage: 'CONTAINER COMMAND [ARG...]',
  examples: [
    ['A shell beside what runs', 'tsman exec -it web sh'],
    ['As another user, with a variable', 'tsman exec -u postgres -e PGDATABASE=app db psql'],
  ],
  options: {
    detach: { kind: 'flag', short: 'd', help: 'run in the background' },
    detachKeys: {
      kind: 'text',
      value: 'KEYS',
      help: `keys that detach (${DEFAULT_DETACH_KEYS}); empty = none`,
    },
    env: { kind: 'list', short: 'e', value: 'KEY[=VALUE]', help: 'set an environment variable' },
    envFile: { kind: 'list', value: 'FILE', help: 'read environment variables from a file' },
    interactive: { kind: 'flag', short: 'i', help: 'pass stdin on' },
    privileged: { kind: 'flag', help: 'all capabilities' },
    tty: { kind: 'flag', short: 't', help: 'give the command a terminal' },
    user: { kind: 'text', short: 'u', value: 'USER[:GROUP]', help: 'run as this user' },
    workdir: { kind: 'text', short: 'w', value: 'DIR', help: 'working directory' },
  },
  stopAtArgument: true,
  arguments: [2, Number.POSITIVE_INFINITY],
  completes: 'running',
  async run(options, [name = '', ...command], context) {
    const engine = context.openEngine();
    return await execAndBecome(engine, existingContainer(engine, name), {
      command,
      env: options.env,
      envFiles: options.envFile,
      user: options.user,
      workdir: options.workdir,
      terminal: options.tty,
      interactive: options.interactive,
      detach: options.detach,
      privileged: options.privileged,
      detachKeys: parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
    });
  },
});
