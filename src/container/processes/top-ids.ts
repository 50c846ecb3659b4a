import * as fs from 'node:fs';

interface IdRange {
  readonly inner: number;
  readonly outer: number;
  readonly size: number;
}

const MOST_BYTES = 1 << 20;

/** Translates the host's ids into those, and the names, that a container has for them. */
export class ContainerIds {
  readonly #uids: readonly IdRange[];
  readonly #gids: readonly IdRange[];
  readonly #users: ReadonlyMap<number, string>;
  readonly #groups: ReadonlyMap<number, string>;

  constructor(pid: number) {
    this.#uids = readMap(`/proc/${pid}/uid_map`);
    this.#gids = readMap(`/proc/${pid}/gid_map`);
    this.#users = readNames(pid, 'passwd');
    this.#groups = readNames(pid, 'group');
  }

  user(hostID: number): string {
    return name(this.#uids, this.#users, hostID);
  }

  group(hostID: number): string {
    return name(this.#gids, this.#groups, hostID);
  }
}

function name(
  ranges: readonly IdRange[],
  names: ReadonlyMap<number, string>,
  hostID: number,
): string {
  const range = ranges.find(({ outer, size }) => hostID >= outer && hostID < outer + size);
  if (range === undefined) return '?';
  const id = hostID - range.outer + range.inner;
  return names.get(id) ?? String(id);
}

/** user_namespaces(7): read by us, the second column is in our own namespace. */
function readMap(path: string): IdRange[] {
  try {
    return fs
      .readFileSync(path, 'latin1')
      .trim()
      .split('\n')
      .map((line) => {
        const [inner = 0, outer = 0, size = 0] = line.trim().split(/\s+/).map(Number);
        return { inner, outer, size };
      });
  } catch {
    return [];
  }
}

/** Names from the container's /etc/passwd or /etc/group; none when it is a link or no plain file. */
function readNames(pid: number, file: string): ReadonlyMap<number, string> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const names = new Map<number, string>();
  try {
    const etc = `/proc/${pid}/root/etc`;
    // An absolute link would lead to the host's files.
    if (!fs.lstatSync(etc).isDirectory()) return names;
    const descriptor = fs.openSync(`${etc}/${file}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = fs.fstatSync(descriptor);
      if (!stat.isFile() || stat.size > MOST_BYTES) return names;
      for (const line of fs.readFileSync(descriptor, 'utf8').split('\n')) {
        const [first = '', , id = ''] = line.split(':');
        if (/^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), first);
      }
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    // No such file, or the container has just ended: numbers will do.
  }
  return names;
}
