import { UsageError } from '../base/error.ts';
import { parseUlimits } from '../container/cgroup/limits.ts';
import { parseRestartPolicy } from '../container/restart-policy.ts';
import { readState } from '../container/state.ts';
import { updateContainer } from '../container/update.ts';
import { defineCommand } from './command.ts';
import { HEALTH_OPTIONS } from './options/health-options.ts';
import { refuseOptions } from './options/refused-options.ts';
import { RESOURCE_OPTIONS } from './options/resource-options.ts';
import { selectionOf } from './options/selection-options.ts';
import { REFUSED_UPDATE_OPTIONS } from './options/update-options.ts';
import { parseHealthChange } from './request/health.ts';
import { parseResources } from './request/resources.ts';
import { forEachContainer } from './selection.ts';

export const updateCommand = defineCommand({
  paths: [['update'], ['container', 'update']],
  category: 'Containers',
  summary: 'change settings of containers: limits at once, the rest from their next start on',
  usage: 'CONTAINER...',
  examples: [
    ['Come back after a failure', 'tsman update --restart on-failure:3 web'],
    ['More memory', 'tsman update --memory 2g web'],
  ],
  options: {
    env: { kind: 'list', short: 'e', value: 'KEY=VALUE', help: 'set an environment variable' },
    latest: { kind: 'flag', short: 'l', help: 'the container made last' },
    restart: {
      kind: 'text',
      value: 'POLICY',
      help: 'run it again when it ends; on-failure may end with :N',
      choices: ['no', 'on-failure', 'always', 'unless-stopped'],
    },
    ulimit: { kind: 'list', value: 'TYPE=SOFT[:HARD]', help: 'set a resource limit' },
    unsetenv: { kind: 'list', value: 'KEY', help: 'remove an environment variable' },
    ...RESOURCE_OPTIONS,
    ...HEALTH_OPTIONS,
    ...REFUSED_UPDATE_OPTIONS,
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  run(options, names, context) {
    refuseOptions(updateCommand.options, context);
    const update = {
      restart: options.restart === undefined ? undefined : parseRestartPolicy(options.restart),
      env: options.env.map(withValue),
      unsetEnv: options.unsetenv,
      rlimits: parseUlimits(options.ulimit),
      resources: parseResources(options),
      health: parseHealthChange(options, context.isSet),
    };
    const selection = selectionOf(names, options);
    return forEachContainer(context, selection, undefined, (container, engine) => {
      const { isNow } = updateContainer(engine, container, update);
      const isLater =
        update.env.length + update.unsetEnv.length + update.rlimits.length > 0 ||
        update.health !== undefined;
      const isRunning = readState(engine.directories, container.id).pid !== 0;
      if (isRunning && (isLater || !isNow))
        context.stderr.write(`${container.name} runs: the change holds from its next start on\n`);
      return '';
    });
  },
});

function withValue(entry: string): string {
  if (entry.indexOf('=') < 1)
    throw new UsageError(`option --env: ${JSON.stringify(entry)} is not KEY=VALUE`);
  return entry;
}
