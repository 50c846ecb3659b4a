import { CONTAINER_COMMANDS } from './table/container.ts';
import { IMAGE_COMMANDS } from './table/image.ts';
import { MANIFEST_COMMANDS } from './table/manifest.ts';
import { NETWORK_COMMANDS } from './table/network.ts';
import { entryOf, type TableEntry, type TableRow } from './table/row.ts';
import { SECRET_COMMANDS } from './table/secret.ts';
import { SYSTEM_COMMANDS } from './table/system.ts';
import { VOLUME_COMMANDS } from './table/volume.ts';

/**
 * Which words belong to which file. A command's module is imported when its words are typed and not
 * before: that is what keeps `tsman ps` from paying for `tsman run`. `test/commands/table.test.ts`
 * holds this against the `paths` each module declares.
 */
const ROWS: readonly TableRow[] = [
  CONTAINER_COMMANDS,
  IMAGE_COMMANDS,
  MANIFEST_COMMANDS,
  NETWORK_COMMANDS,
  VOLUME_COMMANDS,
  SECRET_COMMANDS,
  SYSTEM_COMMANDS,
].flat();

const MOST_WORDS = 3;

/** The entry with the most words that `argv` starts with. */
export function findCommand(argv: readonly string[]): TableEntry | undefined {
  const words = argv.slice(0, MOST_WORDS);
  const other = words.findIndex((word) => !/^[a-z-]+$/.test(word));
  for (let count = other === -1 ? words.length : other; count > 0; count--) {
    const path = words.slice(0, count).join(' ');
    const found = ROWS.find(({ paths }) => `, ${paths}, `.includes(`, ${path}, `));
    if (found !== undefined) return entryOf(found, path);
  }
  return undefined;
}

/** An entry for every way to say a command. */
export function allCommands(): readonly TableEntry[] {
  return ROWS.flatMap((row) => row.paths.split(', ').map((path) => entryOf(row, path)));
}
