import { TsmanError, UsageError } from '../base/error.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/detach-keys.ts';
import { execAndBecome } from '../container/exec.ts';
import type { Container } from '../container/record.ts';
import { defineCommand } from './command.ts';
import type { Engine } from './engine.ts';
import { parsePreservedFds } from './request/values.ts';
import { existingContainer, existingContainers, readCidfile } from './selection.ts';

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
    cidfile: { kind: 'text', value: 'FILE', help: 'read the container ID from a file' },
    detach: { kind: 'flag', short: 'd', help: 'run in the background' },
    detachKeys: {
      kind: 'text',
      value: 'KEYS',
      help: 'keys that detach; empty = none',
      defaultText: DEFAULT_DETACH_KEYS,
    },
    env: { kind: 'list', short: 'e', value: 'KEY[=VALUE]', help: 'set an environment variable' },
    envFile: { kind: 'list', value: 'FILE', help: 'read environment variables from a file' },
    interactive: { kind: 'flag', short: 'i', help: 'pass stdin on' },
    latest: { kind: 'flag', short: 'l', help: 'in the container made last' },
    noSession: {
      kind: 'flag',
      help: 'nothing to do here: no session is ever recorded',
      hidden: true,
    },
    preserveFd: {
      kind: 'list',
      value: 'FD',
      help: 'pass on this descriptor; 3, 4, … without a gap',
    },
    preserveFds: { kind: 'text', value: 'N', help: 'pass on the descriptors 3 to 2+N' },
    privileged: { kind: 'flag', help: 'all capabilities' },
    sigProxy: { kind: 'flag', default: true, help: 'send the signals tsman gets to the command' },
    tty: { kind: 'flag', short: 't', help: 'give the command a terminal' },
    user: { kind: 'text', short: 'u', value: 'USER[:GROUP]', help: 'run as this user' },
    workdir: { kind: 'text', short: 'w', value: 'DIR', help: 'working directory' },
  },
  stopAtArgument: true,
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'running',
  async run(options, args, context) {
    const engine = context.openEngine();
    const { container, command } = target(engine, options, args);
    return await execAndBecome(engine, container, {
      command,
      env: options.env,
      envFiles: options.envFile,
      user: options.user,
      workdir: options.workdir,
      terminal: options.tty,
      interactive: options.interactive,
      detach: options.detach,
      privileged: options.privileged,
      sigProxy: options.sigProxy && !options.tty,
      preservedFds: parsePreservedFds(options.preserveFds, options.preserveFd),
      detachKeys: parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
    });
  },
});

/** The container, by name, --latest or --cidfile, and the words that are left for the command. */
function target(
  engine: Engine,
  options: { readonly latest: boolean; readonly cidfile: string | undefined },
  args: readonly string[],
): { container: Container; command: readonly string[] } {
  const isNamed = !options.latest && options.cidfile === undefined;
  const command = isNamed ? args.slice(1) : args;
  if (options.latest && options.cidfile !== undefined)
    throw new UsageError('options --latest and --cidfile exclude each other');
  if (command.length === 0) throw new UsageError('which command? Give one after the container');
  if (!options.latest) {
    const name = options.cidfile === undefined ? args[0] : readCidfile(options.cidfile);
    return { container: existingContainer(engine, name ?? ''), command };
  }
  const container = existingContainers(engine).at(-1);
  if (container === undefined) throw new TsmanError('option --latest: there is no container');
  return { container, command };
}
