import { chooseDriver, isDriver, type StorageDriver } from '../storage/driver.ts';
import type { CommandContext } from './command.ts';
import type { Engine } from './engine.ts';

/**
 * The record's `driver`: what --storage-driver or TSMAN_STORAGE_DRIVER say, then what STORAGE_DRIVER and
 * storage.conf say to all engines, unless only others know it (btrfs), then what works.
 */
export async function driverSetting(
  engine: Engine,
  { globals, places, env }: CommandContext,
): Promise<{ driver?: StorageDriver }> {
  const shared = env['STORAGE_DRIVER'] ?? places.configured?.driver ?? '';
  const asked =
    globals.storageDriver ?? env['TSMAN_STORAGE_DRIVER'] ?? (isDriver(shared) ? shared : undefined);
  const driver = await chooseDriver(engine, asked);
  return driver === 'overlay' ? {} : { driver };
}
