import {
  type ChosenDirectories,
  type Directories,
  openDirectories,
} from '../rootless/directories.ts';
import { type EngineUserns, engineUserns } from '../rootless/id-map.ts';
import { singleIDWarning } from '../rootless/single-id.ts';
import { openStorage, type Storage } from '../storage/storage.ts';

/** What commands work on. Each part is opened when first asked for: `version` opens none. */
export interface Engine {
  readonly directories: Directories;
  readonly storage: Storage;
  readonly userns: EngineUserns;
  /** Prints one line about what could not be done as wished. */
  readonly warn: (text: string) => void;
}

export type EngineOptions = ChosenDirectories;

export function createEngine(options: EngineOptions): Engine {
  let directories: Directories | undefined;
  let storage: Storage | undefined;
  let userns: EngineUserns | undefined;
  return {
    warn: (text) => process.stderr.write(`Warning: ${text}\n`),
    get directories() {
      directories ??= openDirectories(options);
      return directories;
    },
    get storage() {
      storage ??= openStorage(this.directories);
      return storage;
    },
    get userns() {
      if (userns !== undefined) return userns;
      userns = engineUserns();
      if (userns.kind === 'single') process.stderr.write(singleIDWarning(this.directories) ?? '');
      return userns;
    },
  };
}
