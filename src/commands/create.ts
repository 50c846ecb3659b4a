import { defineCommand } from './command.ts';
import { CONTAINER_OPTIONS } from './options/container-options.ts';
import { create } from './request/create-container.ts';

export const createCommand = defineCommand({
  paths: [['create'], ['container', 'create']],
  category: 'Containers',
  summary: 'make a container without starting it',
  usage: 'IMAGE [COMMAND [ARG...]]',
  examples: [
    ['With the ID in a file, for a script', 'tsman create --cidfile job.id debian:12 make check'],
    ['To put files into before it runs', 'tsman create --name web nginx && tsman cp site web:/srv'],
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
