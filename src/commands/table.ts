import type { CommandSpec, OptionSpecs } from './command.ts';

/**
 * Which words belong to which file. A command's module is imported when its words are typed and not
 * before: that is what keeps `tsman ps` from paying for `tsman run`. `test/commands/table.test.ts`
 * holds this against the `paths` each module declares.
 */
export interface TableEntry {
  readonly words: readonly string[];
  load(): Promise<CommandSpec<OptionSpecs>>;
}

type Loader = () => Promise<CommandSpec<OptionSpecs>>;

function entries(load: Loader, ...paths: string[]): TableEntry[] {
  return paths.map((path) => ({ words: path.split(' '), load }));
}

// A spec's option types are known to its own run() only; the parser fills them by the same spec.
function loader<Specs extends OptionSpecs>(load: () => Promise<CommandSpec<Specs>>): Loader {
  return load as unknown as Loader;
}

export const COMMANDS: readonly TableEntry[] = [
  ...entries(
    loader(() => import('./attach.ts').then((m) => m.attachCommand)),
    'attach',
    'container attach',
  ),
  ...entries(
    loader(() => import('./commit.ts').then((m) => m.commitCommand)),
    'commit',
    'container commit',
  ),
  ...entries(
    loader(() => import('./create.ts').then((m) => m.createCommand)),
    'create',
    'container create',
  ),
  ...entries(
    loader(() => import('./exec.ts').then((m) => m.execCommand)),
    'exec',
    'container exec',
  ),
  ...entries(
    loader(() => import('./diff.ts').then((m) => m.diffCommand)),
    'diff',
    'container diff',
  ),
  ...entries(
    loader(() => import('./events.ts').then((m) => m.eventsCommand)),
    'events',
    'system events',
  ),
  ...entries(
    loader(() => import('./export.ts').then((m) => m.exportCommand)),
    'export',
    'container export',
  ),
  ...entries(
    loader(() => import('./container/clone.ts').then((m) => m.containerCloneCommand)),
    'container clone',
  ),
  ...entries(
    loader(() => import('./healthcheck.ts').then((m) => m.healthcheckRunCommand)),
    'healthcheck run',
  ),
  ...entries(
    loader(() => import('./stats.ts').then((m) => m.statsCommand)),
    'stats',
    'container stats',
  ),
  ...entries(
    loader(() => import('./top.ts').then((m) => m.topCommand)),
    'top',
    'container top',
  ),
  ...entries(
    loader(() => import('./completion.ts').then((m) => m.completionCommand)),
    'completion',
  ),
  ...entries(
    loader(() => import('./doctor.ts').then((m) => m.doctorCommand)),
    'doctor',
    'system doctor',
  ),
  ...entries(
    loader(() => import('./info.ts').then((m) => m.infoCommand)),
    'info',
    'system info',
  ),
  ...entries(
    loader(() => import('./inspect.ts').then((m) => m.inspectCommand)),
    'inspect',
  ),
  ...entries(
    loader(() => import('./inspect.ts').then((m) => m.containerInspectCommand)),
    'container inspect',
  ),
  ...entries(
    loader(() => import('./kill.ts').then((m) => m.killCommand)),
    'kill',
    'container kill',
  ),
  ...entries(
    loader(() => import('./logs.ts').then((m) => m.logsCommand)),
    'logs',
    'container logs',
  ),
  ...entries(
    loader(() => import('./pause.ts').then((m) => m.pauseCommand)),
    'pause',
    'container pause',
  ),
  ...entries(
    loader(() => import('./pause.ts').then((m) => m.unpauseCommand)),
    'unpause',
    'container unpause',
  ),
  ...entries(
    loader(() => import('./update.ts').then((m) => m.updateCommand)),
    'update',
    'container update',
  ),
  ...entries(
    loader(() => import('./ps.ts').then((m) => m.psCommand)),
    'ps',
    'container ps',
    'container ls',
    'container list',
  ),
  ...entries(
    loader(() => import('./image/pull.ts').then((m) => m.pullCommand)),
    'pull',
    'image pull',
  ),
  ...entries(
    loader(() => import('./image/push.ts').then((m) => m.pushCommand)),
    'push',
    'image push',
  ),
  ...entries(
    loader(() => import('./login.ts').then((m) => m.loginCommand)),
    'login',
  ),
  ...entries(
    loader(() => import('./logout.ts').then((m) => m.logoutCommand)),
    'logout',
  ),
  ...entries(
    loader(() => import('./search.ts').then((m) => m.searchCommand)),
    'search',
    'image search',
  ),
  ...entries(
    loader(() => import('./container/cleanup.ts').then((m) => m.containerCleanupCommand)),
    'container cleanup',
  ),
  ...entries(
    loader(() => import('./container/exists.ts').then((m) => m.containerExistsCommand)),
    'container exists',
  ),
  ...entries(
    loader(() => import('./container/init.ts').then((m) => m.initCommand)),
    'init',
    'container init',
  ),
  ...entries(
    loader(() => import('./container/prune.ts').then((m) => m.containerPruneCommand)),
    'container prune',
  ),
  ...entries(
    loader(() => import('./port.ts').then((m) => m.portCommand)),
    'port',
    'container port',
  ),
  ...entries(
    loader(() => import('./rename.ts').then((m) => m.renameCommand)),
    'rename',
    'container rename',
  ),
  ...entries(
    loader(() => import('./restart.ts').then((m) => m.restartCommand)),
    'restart',
    'container restart',
  ),
  ...entries(
    loader(() => import('./rm.ts').then((m) => m.rmCommand)),
    'rm',
    'container rm',
    'container remove',
  ),
  ...entries(
    loader(() => import('./run.ts').then((m) => m.runCommand)),
    'run',
    'container run',
  ),
  ...entries(
    loader(() => import('./start.ts').then((m) => m.startCommand)),
    'start',
    'container start',
  ),
  ...entries(
    loader(() => import('./stop.ts').then((m) => m.stopCommand)),
    'stop',
    'container stop',
  ),
  ...entries(
    loader(() => import('./unshare.ts').then((m) => m.unshareCommand)),
    'unshare',
  ),
  ...entries(
    loader(() => import('./wait.ts').then((m) => m.waitCommand)),
    'wait',
    'container wait',
  ),
  ...entries(
    loader(() => import('./version.ts').then((m) => m.versionCommand)),
    'version',
  ),
  ...entries(
    loader(() => import('./image/list.ts').then((m) => m.imagesCommand)),
    'images',
    'image ls',
    'image list',
  ),
  ...entries(
    loader(() => import('./image/rm.ts').then((m) => m.rmiCommand)),
    'rmi',
    'image rm',
    'image remove',
  ),
  ...entries(
    loader(() => import('./image/tag.ts').then((m) => m.tagCommand)),
    'tag',
    'image tag',
  ),
  ...entries(
    loader(() => import('./image/untag.ts').then((m) => m.untagCommand)),
    'untag',
    'image untag',
  ),
  ...entries(
    loader(() => import('./image/load.ts').then((m) => m.loadCommand)),
    'load',
    'image load',
  ),
  ...entries(
    loader(() => import('./image/save.ts').then((m) => m.saveCommand)),
    'save',
    'image save',
  ),
  ...entries(
    loader(() => import('./image/import.ts').then((m) => m.importCommand)),
    'import',
    'image import',
  ),
  ...entries(
    loader(() => import('./image/history.ts').then((m) => m.historyCommand)),
    'history',
    'image history',
  ),
  ...entries(
    loader(() => import('./image/inspect.ts').then((m) => m.imageInspectCommand)),
    'image inspect',
  ),
  ...entries(
    loader(() => import('./image/exists.ts').then((m) => m.imageExistsCommand)),
    'image exists',
  ),
  ...entries(
    loader(() => import('./image/prune.ts').then((m) => m.imagePruneCommand)),
    'image prune',
  ),
  ...entries(
    loader(() => import('./manifest/create.ts').then((m) => m.manifestCreateCommand)),
    'manifest create',
  ),
  ...entries(
    loader(() => import('./manifest/add.ts').then((m) => m.manifestAddCommand)),
    'manifest add',
  ),
  ...entries(
    loader(() => import('./manifest/annotate.ts').then((m) => m.manifestAnnotateCommand)),
    'manifest annotate',
  ),
  ...entries(
    loader(() => import('./manifest/inspect.ts').then((m) => m.manifestInspectCommand)),
    'manifest inspect',
  ),
  ...entries(
    loader(() => import('./manifest/push.ts').then((m) => m.manifestPushCommand)),
    'manifest push',
  ),
  ...entries(
    loader(() => import('./manifest/rm.ts').then((m) => m.manifestRmCommand)),
    'manifest rm',
  ),
  ...entries(
    loader(() => import('./manifest/remove.ts').then((m) => m.manifestRemoveCommand)),
    'manifest remove',
  ),
  ...entries(
    loader(() => import('./manifest/exists.ts').then((m) => m.manifestExistsCommand)),
    'manifest exists',
  ),
  ...entries(
    loader(() => import('./system/check.ts').then((m) => m.systemCheckCommand)),
    'system check',
  ),
  ...entries(
    loader(() => import('./system/df.ts').then((m) => m.systemDfCommand)),
    'system df',
  ),
  ...entries(
    loader(() => import('./system/prune.ts').then((m) => m.systemPruneCommand)),
    'system prune',
  ),
  ...entries(
    loader(() => import('./system/reset.ts').then((m) => m.systemResetCommand)),
    'system reset',
  ),
  ...entries(
    loader(() => import('./image/diff.ts').then((m) => m.imageDiffCommand)),
    'image diff',
  ),
  ...entries(
    loader(() => import('./image/tree.ts').then((m) => m.imageTreeCommand)),
    'image tree',
  ),
  ...entries(
    loader(() => import('./image/mount.ts').then((m) => m.imageMountCommand)),
    'image mount',
  ),
  ...entries(
    loader(() => import('./image/unmount.ts').then((m) => m.imageUnmountCommand)),
    'image unmount',
    'image umount',
  ),
  ...entries(
    loader(() => import('./volume/create.ts').then((m) => m.volumeCreateCommand)),
    'volume create',
  ),
  ...entries(
    loader(() => import('./network/create.ts').then((m) => m.networkCreateCommand)),
    'network create',
  ),
  ...entries(
    loader(() => import('./network/ls.ts').then((m) => m.networkLsCommand)),
    'network ls',
    'network list',
  ),
  ...entries(
    loader(() => import('./network/inspect.ts').then((m) => m.networkInspectCommand)),
    'network inspect',
  ),
  ...entries(
    loader(() => import('./network/rm.ts').then((m) => m.networkRmCommand)),
    'network rm',
    'network remove',
  ),
  ...entries(
    loader(() => import('./network/prune.ts').then((m) => m.networkPruneCommand)),
    'network prune',
  ),
  ...entries(
    loader(() => import('./network/exists.ts').then((m) => m.networkExistsCommand)),
    'network exists',
  ),
  ...entries(
    loader(() => import('./network/connect.ts').then((m) => m.networkConnectCommand)),
    'network connect',
  ),
  ...entries(
    loader(() => import('./network/disconnect.ts').then((m) => m.networkDisconnectCommand)),
    'network disconnect',
  ),
  ...entries(
    loader(() => import('./network/reload.ts').then((m) => m.networkReloadCommand)),
    'network reload',
  ),
  ...entries(
    loader(() => import('./network/update.ts').then((m) => m.networkUpdateCommand)),
    'network update',
  ),
  ...entries(
    loader(() => import('./volume/ls.ts').then((m) => m.volumeLsCommand)),
    'volume ls',
    'volume list',
  ),
  ...entries(
    loader(() => import('./volume/inspect.ts').then((m) => m.volumeInspectCommand)),
    'volume inspect',
  ),
  ...entries(
    loader(() => import('./volume/rm.ts').then((m) => m.volumeRmCommand)),
    'volume rm',
    'volume remove',
  ),
  ...entries(
    loader(() => import('./volume/prune.ts').then((m) => m.volumePruneCommand)),
    'volume prune',
  ),
  ...entries(
    loader(() => import('./volume/exists.ts').then((m) => m.volumeExistsCommand)),
    'volume exists',
  ),
  ...entries(
    loader(() => import('./volume/export.ts').then((m) => m.volumeExportCommand)),
    'volume export',
  ),
  ...entries(
    loader(() => import('./volume/import.ts').then((m) => m.volumeImportCommand)),
    'volume import',
  ),
  ...entries(
    loader(() => import('./volume/mount.ts').then((m) => m.volumeMountCommand)),
    'volume mount',
  ),
  ...entries(
    loader(() => import('./volume/mount.ts').then((m) => m.volumeUnmountCommand)),
    'volume unmount',
  ),
  ...entries(
    loader(() => import('./cp.ts').then((m) => m.cpCommand)),
    'cp',
    'container cp',
  ),
  ...entries(
    loader(() => import('./secret/create.ts').then((m) => m.secretCreateCommand)),
    'secret create',
  ),
  ...entries(
    loader(() => import('./secret/ls.ts').then((m) => m.secretLsCommand)),
    'secret ls',
    'secret list',
  ),
  ...entries(
    loader(() => import('./secret/inspect.ts').then((m) => m.secretInspectCommand)),
    'secret inspect',
  ),
  ...entries(
    loader(() => import('./secret/rm.ts').then((m) => m.secretRmCommand)),
    'secret rm',
  ),
  ...entries(
    loader(() => import('./secret/exists.ts').then((m) => m.secretExistsCommand)),
    'secret exists',
  ),
  ...entries(
    loader(() => import('./container/mount.ts').then((m) => m.mountCommand)),
    'mount',
    'container mount',
  ),
  ...entries(
    loader(() => import('./container/unmount.ts').then((m) => m.unmountCommand)),
    'unmount',
    'umount',
    'container unmount',
    'container umount',
  ),
];

/** The entry with the most words that `argv` starts with. */
export function findCommand(argv: readonly string[]): TableEntry | undefined {
  let best: TableEntry | undefined;
  for (const entry of COMMANDS) {
    if (
      entry.words.length > (best?.words.length ?? 0) &&
      entry.words.every((word, i) => argv[i] === word)
    )
      best = entry;
  }
  return best;
}
