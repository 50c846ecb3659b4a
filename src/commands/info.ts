import { VERSION } from '../base/version.ts';
import { readState } from '../container/state.ts';
import { shiftKind } from '../storage/driver.ts';
import { listImages } from '../storage/images.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { confSearch, loadContainers, loadStorage } from './configuration.ts';
import { printFormatted } from './formatted.ts';
import {
  cdiFacts,
  dockerFacts,
  hostFacts,
  otherConfFiles,
  withGoNames,
} from './rows/info-facts.ts';
import { existingContainers } from './selection.ts';
import { driverSetting, usernsRoot } from './storage-driver.ts';

export const infoCommand = defineCommand({
  paths: [['info'], ['system', 'info']],
  category: 'System',
  summary: 'show what tsman found on this machine and where it keeps things',
  usage: '',
  examples: [
    ["One field, by Podman's name", "tsman info --format '{{.Store.GraphRoot}}'"],
    ["The same, by Docker's", "tsman info --format '{{.DockerRootDir}}'"],
    ['Which configuration files were read', "tsman info --format '{{json .ConfigFiles}}'"],
  ],
  options: {
    debug: { kind: 'flag', short: 'D', help: 'nothing to add', hidden: true },
    format: { kind: 'text', short: 'f', value: 'TEMPLATE', help: 'json, or a Go template' },
  },
  arguments: [0, 0],
  async run({ format }, _args, context) {
    const facts = await collect(context);
    const isTemplate = format !== undefined && format !== 'json';
    const shown = isTemplate ? { ...dockerFacts(facts), ...withGoNames(facts) } : facts;
    await printFormatted(shown, format, context.stdout);
    return 0;
  },
});

/** Podman's structure. */
export type Facts = Awaited<ReturnType<typeof collect>>;

async function collect(context: CommandContext) {
  const { openEngine, globals } = context;
  const engine = openEngine();
  const storageConf = await loadStorage(globals);
  const containersConf = await loadContainers(globals);
  const states = existingContainers(engine).map(
    ({ id }) => readState(engine.directories, id).status,
  );
  const count = (status: string): number => states.filter((state) => state === status).length;
  return {
    host: {
      ...hostFacts(engine.userns),
      logDriver: String(containersConf?.values.get('containers.log_driver') ?? 'k8s-file'),
      ...(await cdiFacts(globals, containersConf)),
    },
    store: {
      configFile: storageConf?.files.at(-1) ?? '',
      graphRoot: engine.directories.dataRoot,
      runRoot: engine.directories.runRoot,
      volumePath: `${engine.directories.dataRoot}/volumes`,
      graphDriverName: (await driverSetting(engine, context)).driver ?? 'overlay',
      graphOptions: { 'overlay.userns': usernsRoot(context) },
      // How layers are shifted for --userns: `data` = large files are references, `copy`, or not at all.
      graphStatus: { 'Shifted layers': (await shiftKind(engine)) ?? 'none' },
      imageStore: { number: listImages(engine.storage).length },
      containerStore: {
        number: states.length,
        running: count('running'),
        paused: count('paused'),
        stopped: states.length - count('running') - count('paused'),
      },
    },
    configFiles: [
      ...(containersConf?.files ?? []),
      ...(storageConf?.files ?? []),
      ...otherConfFiles(confSearch(globals)),
    ],
    version: { Version: VERSION, Runtime: `${process.release.name} ${process.version}` },
  };
}
