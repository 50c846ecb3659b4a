import { UsageError } from '../../base/error.ts';
import type { RuntimeMount } from '../../oci/runtime-config.ts';
import { containerPath } from './mount-words.ts';

const FLAGS = new Set(
  'ro rw nosuid suid nodev dev noexec exec noatime relatime nodiratime strictatime tmpcopyup notmpcopyup'.split(
    ' ',
  ),
);
const DATA =
  /^(size=\d+[kmgtKMGT%]?|mode=[0-7]{3,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kmgKMG]?|nr_blocks=\d+[kmgKMG]?)$/;
/** Words that say what is so anyhow: for people's habits. */
const IGNORED = new Set(['rprivate', 'private', 'U', 'chown', 'z', 'Z']);

/** Parses `--tmpfs DIR[:OPTIONS]`. @throws UsageError */
export function parseTmpfs(text: string): RuntimeMount {
  const colon = text.indexOf(':');
  const words = colon === -1 ? [] : text.slice(colon + 1).split(',');
  return tmpfsMount(
    containerPath(colon === -1 ? text : text.slice(0, colon), `option --tmpfs ${text}`),
    words.filter((word) => word !== ''),
  );
}

/**
 * A tmpfs with Podman's defaults: nosuid, nodev, and what the image has there is copied in, mode and
 * owner included unless said otherwise.
 */
export function tmpfsMount(destination: string, words: readonly string[]): RuntimeMount {
  for (const word of words) {
    if (!FLAGS.has(word) && !DATA.test(word) && !IGNORED.has(word))
      throw new UsageError(`tmpfs on ${destination}: unknown option ${JSON.stringify(word)}`);
  }
  const defaults = ['nosuid', 'nodev'].filter((word) => !words.includes(word.slice(2)));
  const copies = !words.includes('notmpcopyup');
  const own = words.filter(
    (word) => !IGNORED.has(word) && word !== 'tmpcopyup' && word !== 'notmpcopyup',
  );
  return {
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [...new Set([...defaults, ...own, ...(copies ? ['tmpcopyup'] : [])])],
  };
}
