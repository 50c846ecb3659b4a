import { defineCommand } from './command.ts';
import { CONTAINER_OPTIONS } from './container-options.ts';
import { create } from './create-container.ts';

export const createCommand = defineCommand({
  paths: [['create'], ['container', 'create']],
  category: 'Containers',
  summary: 'make a container without starting it',
  usage: 'IMAGE [COMMAND [ARG...]]',
  examples: [
    ['Made now, started later', 'tsman create --name web -p 8080:80 nginx && tsman start web'],
  ],
  options: CONTAINER_OPTIONS,
  stopAtArgument: true,
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'images',
  async run(options, args, context) {
    const container = await create(options, args, context, context.openEngine());
    context.stdout.write(`${container.id}\n`);
    return 0;
  },
});
