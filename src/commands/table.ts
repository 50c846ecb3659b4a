import { CONTAINER_COMMANDS } from './table/container.ts';
import { IMAGE_COMMANDS } from './table/image.ts';
import { MANIFEST_COMMANDS } from './table/manifest.ts';
import { NETWORK_COMMANDS } from './table/network.ts';
import type { TableEntry } from './table/row.ts';
import { SECRET_COMMANDS } from './table/secret.ts';
import { SYSTEM_COMMANDS } from './table/system.ts';
import { VOLUME_COMMANDS } from './table/volume.ts';

/**
 * Which words belong to which file. A command's module is imported when its words are typed and not
 * before: that is what keeps `tsman ps` from paying for `tsman run`. `test/commands/table.test.ts`
 * holds this against the `paths` each module declares.
 */
export const COMMANDS: readonly TableEntry[] = [
  CONTAINER_COMMANDS,
  IMAGE_COMMANDS,
  MANIFEST_COMMANDS,
  NETWORK_COMMANDS,
  VOLUME_COMMANDS,
  SECRET_COMMANDS,
  SYSTEM_COMMANDS,
].flat(2);

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
