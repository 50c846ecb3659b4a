import { TsmanError } from '../base/error.ts';
import { runHealthCheck } from '../container/health/run.ts';
import { defineCommand } from './command.ts';
import { existingContainer } from './selection.ts';

export const healthcheckRunCommand = defineCommand({
  paths: [['healthcheck', 'run']],
  category: 'Containers',
  summary: "run a container's health check now",
  usage: 'CONTAINER',
  examples: [
    ['Look without counting a failure', 'tsman healthcheck run --ignore-result web'],
    ['In a script', 'tsman healthcheck run web || echo web is ill'],
  ],
  options: {
    ignoreResult: { kind: 'flag', help: 'exit with 0 whatever the result' },
  },
  arguments: [1, 1],
  completes: 'running',
  async run(options, [name = ''], context) {
    const engine = context.openEngine();
    const container = existingContainer(engine, name);
    if (container.spec.health === undefined)
      throw new TsmanError(`container ${container.name} has no health check`, {
        hint: 'give one with --health-cmd when it is made',
      });
    const result = await runHealthCheck(engine.directories, container);
    if (result.ExitCode === 0 || options.ignoreResult) return 0;
    context.stdout.write('unhealthy\n');
    return 1;
  },
});
