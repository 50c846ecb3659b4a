import { TsmanError } from '../base/error.ts';
import { oneShotPlanPath } from '../container/attach.ts';
import type { PlanRecord } from '../helper/plan.ts';
import { becomeHelper, explainRecord, writePlan } from '../helper/run.ts';
import { sharedNetworkRecord } from '../network/bridge-plan.ts';
import { usernsRecords } from '../rootless/id-map.ts';
import { defineCommand } from './command.ts';

export const unshareCommand = defineCommand({
  paths: [['unshare']],
  category: 'System',
  summary:
    "run a command in the engine's user namespace, where you are root over your containers' files",
  usage: '[COMMAND [ARG...]]',
  examples: [
    ['Remove what containers left in a directory', 'tsman unshare rm -r data'],
    ['A shell in the user namespace', 'tsman unshare'],
    ['Whose files are these inside a container?', 'tsman unshare ls -ln data'],
  ],
  options: {
    rootlessNetns: {
      kind: 'flag',
      help: 'also in the network namespace of your bridge networks, while a container is on one',
    },
  },
  stopAtArgument: true,
  arguments: [0, Number.POSITIVE_INFINITY],
  async run(options, args, context) {
    const { directories, userns } = context.openEngine();
    if (userns.kind === 'none')
      throw new TsmanError('unshare is for unprivileged users: you are root already');
    const path = oneShotPlanPath(directories.runRoot);
    const command = args.length > 0 ? args : [context.env['SHELL'] ?? '/bin/sh'];
    writePlan(path, [
      explainRecord(directories, 'unshare'),
      ...usernsRecords(userns, directories.runRoot),
      // Mounts made in there end with it.
      ['namespaces', 'mount'],
      ...(options.rootlessNetns ? [sharedNetworkRecord(directories)] : []),
      ...Object.entries({
        ...context.env,
        // In there we are root, whose store is elsewhere.
        TSMAN_ROOT: directories.dataRoot,
        TSMAN_RUNROOT: directories.runRoot,
      }).map(([key, value]): PlanRecord => ['env', `${key}=${value ?? ''}`]),
      ['exec', ...command],
    ]);
    return await becomeHelper('unshare', path);
  },
});
