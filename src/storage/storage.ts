import type { DatabaseSync } from 'node:sqlite';
import type { Directories } from '../rootless/directories.ts';
import { openDatabase } from './database.ts';

/** The store as the rooms above see it: where it is, and its records. Opened once for a command. */
export interface Storage {
  readonly directories: Directories;
  readonly database: DatabaseSync;
}

export function openStorage(directories: Directories): Storage {
  return { directories, database: openDatabase(directories.dataRoot) };
}
