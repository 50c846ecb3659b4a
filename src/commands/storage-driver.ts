import { TsmanError, UsageError } from '../base/error.ts';
import type { StorageConf } from '../config/storage-conf.ts';
import type { UsernsRoot } from '../container/root/shifted-root.ts';
import { chooseDriver, isDriver, type StorageDriver } from '../storage/driver.ts';
import type { CommandContext } from './command.ts';
import { loadStorage } from './configuration.ts';
import type { Engine, EngineOptions } from './engine.ts';
import type { GlobalOptions } from './global-options.ts';

/**
 * The record's `driver`: what --storage-driver or TSMAN_STORAGE_DRIVER say, then what STORAGE_DRIVER and
 * storage.conf say to all engines, unless only others know it (btrfs), then what works.
 */
export async function driverSetting(
  engine: Engine,
  { globals, places, env }: CommandContext,
): Promise<{ driver?: StorageDriver }> {
  const shared = env['STORAGE_DRIVER'] ?? (await storageConf(globals, places))?.driver ?? '';
  const asked =
    globals.storageDriver ?? env['TSMAN_STORAGE_DRIVER'] ?? (isDriver(shared) ? shared : undefined);
  const driver = await chooseDriver(engine, asked);
  return driver === 'overlay' ? {} : { driver };
}

const USERNS_OPTION = 'overlay.userns';
const USERNS_ROOTS: readonly UsernsRoot[] = ['auto', 'native', 'fuse-overlayfs'];

/**
 * How containers with a user namespace of their own get their root: `--storage-opt overlay.userns=…`,
 * then the same in STORAGE_OPTS (what else is there is Podman's), then storage.conf.
 * @throws TsmanError for other storage options
 */
export function usernsRoot({
  globals,
  places,
  env,
}: Pick<CommandContext, 'globals' | 'places' | 'env'>): UsernsRoot {
  const typed = globals.storageOpts.map((text) => text.split('='));
  const other = typed.find(([key]) => key !== USERNS_OPTION);
  if (other !== undefined)
    throw new TsmanError(`option --storage-opt ${other[0]}: the store has no such option`, {
      hint: `there is ${USERNS_OPTION}=${USERNS_ROOTS.join('|')}`,
    });
  const shared = (env['STORAGE_OPTS'] ?? '')
    .split(',')
    .map((text) => text.split('='))
    .filter(([key]) => key === USERNS_OPTION);
  const word = [...shared, ...typed].at(-1)?.[1] ?? places.configured?.userns ?? 'auto';
  const found = USERNS_ROOTS.find((root) => root === word);
  if (found === undefined)
    throw new UsageError(
      `storage option ${USERNS_OPTION}: ${JSON.stringify(word)} is none of ${USERNS_ROOTS.join(', ')}`,
    );
  return found;
}

/** --root and --runroot say where things lie, not how: then nobody has read the file yet. */
async function storageConf(
  globals: GlobalOptions,
  { configured }: EngineOptions,
): Promise<Pick<StorageConf, 'driver'> | undefined> {
  return configured ?? (await loadStorage(globals));
}
