import { TsmanError, UsageError } from '../../base/error.ts';
import { type CloneChanges, cloneContainer } from '../../container/clone.ts';
import type { Container } from '../../container/record.ts';
import { removeContainer } from '../../container/remove.ts';
import { startInBackground } from '../../container/start.ts';
import { readState } from '../../container/state.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import type { Engine } from '../engine.ts';
import { refused, refuseOptions } from '../options/refused-options.ts';
import { RESOURCE_OPTIONS } from '../options/resource-options.ts';
import { parseResources } from '../request/resources.ts';
import { imageSource } from '../request/root-source.ts';
import { existingContainer } from '../selection.ts';

const NO_REALTIME = 'realtime limits exist in cgroup v1 only, and for root';

export const containerCloneCommand = defineCommand({
  paths: [['container', 'clone']],
  category: 'Containers',
  summary: 'make a container like another one',
  usage: 'CONTAINER [NAME] [IMAGE]',
  examples: [
    ['A copy with a name of its own', 'tsman container clone web web2'],
    ['With a newer image', 'tsman container clone web web2 nginx:1.27'],
    ['A new one in the place of the old', 'tsman container clone --destroy --force --run web web2'],
  ],
  options: {
    destroy: { kind: 'flag', help: 'remove the original' },
    force: { kind: 'flag', short: 'f', help: 'with --destroy: even when it runs' },
    name: { kind: 'text', value: 'NAME', help: 'name of the copy', defaultText: 'ORIGINAL-clone' },
    run: { kind: 'flag', help: 'start the copy' },
    ...RESOURCE_OPTIONS,
    pod: refused('pods do not exist yet'),
    cpuRtPeriod: refused(NO_REALTIME),
    cpuRtRuntime: refused(NO_REALTIME),
    memorySwappiness: refused('cgroup v2 has no such setting'),
  },
  arguments: [1, 3],
  completes: 'containers',
  async run(options, [text = '', name = options.name, imageName], context) {
    refuseOptions(containerCloneCommand.options, context);
    if (options.force && !options.destroy)
      throw new UsageError('option --force is about the original: it needs --destroy');
    const engine = context.openEngine();
    const original = existingContainer(engine, text);
    const isRunning = readState(engine.directories, original.id).pid !== 0;
    if (options.destroy && isRunning && !options.force)
      throw new TsmanError(`container ${original.name} is running`, {
        hint: 'use --force with --destroy',
      });
    const copy = cloneContainer(engine, original, {
      name,
      resources: parseResources(options),
      image: await otherImage(engine, original, imageName, context),
    });
    if (options.destroy) await removeContainer(engine, original, { force: options.force });
    if (options.run) await startInBackground(engine, copy);
    context.stdout.write(`${copy.id}\n`);
    return 0;
  },
});

/** The image is pulled when it is missing, as `run` does. */
async function otherImage(
  engine: Engine,
  { name, spec }: Container,
  imageName: string | undefined,
  context: CommandContext,
): Promise<CloneChanges['image']> {
  if (imageName === undefined) return undefined;
  if (spec.rootfs !== undefined)
    throw new TsmanError(`container ${name} was made with --rootfs: an image cannot replace that`);
  return await imageSource(imageName, { pull: 'missing' }, context, engine);
}
