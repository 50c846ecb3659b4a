import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readIfExists } from '../base/file.ts';

const TCP_LISTEN = '0A';

/**
 * Who has a port of the host: `nginx (pid 812)`. Only the sockets of one's own processes can be
 * told apart; undefined for somebody else's.
 */
export function portHolder(port: number, protocol: 'tcp' | 'udp'): string | undefined {
  const wanted = [protocol, `${protocol}6`].flatMap((file) => socketInodes(file, port, protocol));
  if (wanted.length === 0) return undefined;
  const links = new Set(wanted.map((inode) => `socket:[${inode}]`));
  for (const pid of readdirSync('/proc')) {
    if (/^\d+$/.test(pid) && holdsOne(pid, links)) return `${commandOf(pid)} (pid ${pid})`;
  }
  return undefined;
}

/** proc_net_tcp(5): "sl local_address rem_address st … inode". */
function socketInodes(file: string, port: number, protocol: string): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return (readIfExists(`/proc/net/${file}`) ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true)
    .filter((fields) => protocol === 'udp' || fields[3] === TCP_LISTEN)
    .flatMap((fields) => fields[9] ?? []);
}

function holdsOne(pid: string, links: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return links.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false; // Closed meanwhile.
      }
    });
  } catch {
    return false; // Ended meanwhile, or somebody else's.
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'a process';
  }
}
