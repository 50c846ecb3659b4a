import { TsmanError } from '../../base/error.ts';
import { cloneContainer } from '../../container/clone.ts';
import { removeContainer } from '../../container/remove.ts';
import { startInBackground } from '../../container/start.ts';
import { readState } from '../../container/state.ts';
import { defineCommand } from '../command.ts';
import { refused, refuseOptions } from '../refused-options.ts';
import { existingContainer } from '../selection.ts';

const NO_LIMITS = 'set limits on the copy with tsman update';

export const containerCloneCommand = defineCommand({
  paths: [['container', 'clone']],
  category: 'Containers',
  summary: 'make a container like another one',
  usage: 'CONTAINER [NAME] [IMAGE]',
  examples: [
    ['A copy with a name of its own', 'tsman container clone web web2'],
    ['With a newer image', 'tsman container clone web web2 nginx:1.27'],
    ['A new one in the place of the old', 'tsman container clone --destroy --run web web2'],
  ],
  options: {
    destroy: { kind: 'flag', help: 'remove the original' },
    force: { kind: 'flag', short: 'f', help: 'with --destroy: even when it runs' },
    name: { kind: 'text', value: 'NAME', help: 'name of the copy', defaultText: 'ORIGINAL-clone' },
    run: { kind: 'flag', help: 'start the copy' },
    pod: refused('pods do not exist yet'),
    blkioWeight: refused(NO_LIMITS),
    blkioWeightDevice: refused(NO_LIMITS),
    cpuPeriod: refused(NO_LIMITS),
    cpuQuota: refused(NO_LIMITS),
    cpuRtPeriod: refused(NO_LIMITS),
    cpuRtRuntime: refused(NO_LIMITS),
    cpuShares: { ...refused(NO_LIMITS), short: 'c' },
    cpus: refused(NO_LIMITS),
    cpusetCpus: refused(NO_LIMITS),
    cpusetMems: refused(NO_LIMITS),
    deviceReadBps: refused(NO_LIMITS),
    deviceWriteBps: refused(NO_LIMITS),
    memory: { ...refused(NO_LIMITS), short: 'm' },
    memoryReservation: refused(NO_LIMITS),
    memorySwap: refused(NO_LIMITS),
    memorySwappiness: refused('cgroup v2 has none'),
  },
  arguments: [1, 3],
  completes: 'containers',
  async run(options, [text = '', name, image], context) {
    refuseOptions(containerCloneCommand.options, context);
    if (image !== undefined)
      throw new TsmanError('container clone: another image is not supported', {
        hint: `tsman run --name ${name} ${image} makes a new container`,
      });
    const engine = context.openEngine();
    const original = existingContainer(engine, text);
    const isRunning = readState(engine.directories, original.id).pid !== 0;
    if (options.destroy && isRunning && !options.force)
      throw new TsmanError(`container ${original.name} is running`, {
        hint: 'use --force with --destroy',
      });
    const copy = cloneContainer(engine, original, name ?? options.name);
    if (options.destroy) await removeContainer(engine, original, { force: options.force });
    if (options.run) await startInBackground(engine, copy);
    context.stdout.write(`${copy.id}\n`);
    return 0;
  },
});
