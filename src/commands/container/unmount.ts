import { unmountContainer } from '../../container/root/mount.ts';
import { defineCommand } from '../command.ts';
import { requireMountPower } from '../image/mount.ts';
import { forEachContainer } from '../selection.ts';

export const unmountCommand = defineCommand({
  paths: [['unmount'], ['umount'], ['container', 'unmount'], ['container', 'umount']],
  category: 'Containers',
  summary: "unmount containers' root file systems",
  usage: '[CONTAINER...]',
  examples: [
    ['One container', 'tsman unmount web'],
    ['Every one', 'tsman unmount --all'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'all that are mounted' },
    force: { kind: 'flag', short: 'f', help: 'ignored: nobody counts mounts', hidden: true },
    latest: { kind: 'flag', short: 'l', help: 'the one made last' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  run({ all, latest }, names, context) {
    requireMountPower(context.openEngine(), 'unmount');
    const selection = { names, all, latest, cidfiles: [], filters: [], ignoreMissing: false };
    return forEachContainer(context, selection, undefined, async (container, engine) =>
      (await unmountContainer(engine, container.id)) ? '' : undefined,
    );
  },
});
