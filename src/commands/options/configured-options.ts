import type { ConfValue, ContainersConf } from '../../config/containers-conf.ts';
import type { OptionSpecs } from '../command.ts';
import { withConfiguredContainer } from '../request/configured-container.ts';

/** Parsed options before their types are known to a command. */
export type RawOptions = Record<string, boolean | string | readonly string[] | undefined>;

/** `containers.conf` key to the option that it is the default of, wherever a command has that option. */
export const EVERYWHERE: Readonly<Record<string, string>> = {
  'engine.compression_format': 'compressionFormat',
  'engine.compression_level': 'compressionLevel',
  'engine.detach_keys': 'detachKeys',
  'engine.image_parallel_copies': 'parallelCopies',
  'engine.retry': 'retry',
  'engine.retry_delay': 'retryDelay',
};

/** The same for one command. */
export const OF_ONE_COMMAND: Readonly<Record<string, readonly [command: string, option: string]>> =
  {
    'engine.image_default_format': ['commit', 'format'],
  };

/**
 * A command's options where the user's containers.conf takes the place of what was not given. Lists of
 * `run` and `create` come before those of the command line.
 */
export function withConfigured(
  name: string,
  specs: OptionSpecs,
  options: RawOptions,
  given: ReadonlySet<string>,
  { values }: ContainersConf,
): RawOptions {
  const merged = { ...options };
  const set = (option: string, value: ConfValue | undefined): void => {
    if (value !== undefined && option in specs && !given.has(option))
      merged[option] = typeof value === 'number' ? String(value) : value;
  };
  for (const [key, option] of Object.entries(EVERYWHERE)) set(option, values.get(key));
  for (const [key, [command, option]] of Object.entries(OF_ONE_COMMAND))
    if (command === name) set(option, values.get(key));
  return name === 'run' || name === 'create'
    ? withConfiguredContainer(specs, merged, given, values)
    : merged;
}
