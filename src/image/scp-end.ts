import { existsSync } from 'node:fs';
import { UsageError } from '../base/error.ts';

/** Where an image is copied from or to: `[USER@]HOST[:PORT]::[IMAGE]`, or an image of this store. */
export type ScpEnd =
  | { readonly kind: 'here'; readonly image: string }
  | {
      readonly kind: 'ssh';
      readonly host: string;
      readonly port: string | undefined;
      readonly image: string;
    }
  | { readonly kind: 'user'; readonly user: string; readonly image: string };

/** Reads podman-image-scp(1)'s words; `self` is our own user name. */
export function parseScpEnd(text: string, self: string): ScpEnd {
  const at = text.lastIndexOf('::');
  if (at === -1) return { kind: 'here', image: text };
  const image = text.slice(at + 2);
  const match = /^((?:[^@:\s]+@)?(?:\[[\da-f:.]+\]|[\w.-]+))(?::(\d{1,5}))?$/i.exec(
    text.slice(0, at),
  );
  const place = match?.[1];
  // ssh and sudo would take a word that begins with a dash for an option.
  if (place === undefined || place.startsWith('-'))
    throw new UsageError(`${JSON.stringify(text)}: want [USER@]HOST[:PORT]::[IMAGE]`);
  const host = place.replace(/^([^@]+@)?\[(.*)\]$/, '$1$2');
  const user = /^(?:([^@]+)@)?localhost$/.exec(host);
  if (user === null || match?.[2] !== undefined)
    return { kind: 'ssh', host, port: match?.[2], image };
  return user[1] === undefined || user[1] === self
    ? { kind: 'here', image }
    : { kind: 'user', user: user[1], image };
}

/** For messages: the other machine, or the other user. */
export function scpEndName(end: ScpEnd): string {
  if (end.kind === 'here') return 'here';
  return end.kind === 'ssh' ? end.host : `user ${end.user}`;
}

/**
 * The program and its arguments that bring an image from, or to, an end that is not here. tsman there,
 * else podman; both read and write OCI archives, which keep the digests.
 */
export function scpCommand(
  end: Exclude<ScpEnd, { kind: 'here' }>,
  verb: 'save' | 'load',
  { isRoot, hasSudo, program }: { isRoot: boolean; hasSudo: boolean; program: string },
): readonly string[] {
  const words = verb === 'load' ? 'load' : `save --format oci-archive ${quote(end.image)}`;
  if (end.kind === 'ssh') {
    const script = `if command -v tsman >/dev/null; then exec tsman ${words}; else exec podman ${words}; fi`;
    const port = end.port === undefined ? [] : ['-p', end.port];
    return ['ssh', '-T', ...port, '--', end.host, script];
  }
  const self = existsSync(program) ? quote(program) : 'tsman';
  const script = `unset ${OURS}; d=/run/user/$(id -u); [ -w "$d" ] && export XDG_RUNTIME_DIR="$d"; cd; exec ${self} ${words}`;
  const shell = ['--', 'sh', '-c', script];
  return isRoot && !hasSudo
    ? ['runuser', '-u', end.user, ...shell]
    : ['sudo', '-H', '-u', end.user, ...shell];
}

/** Says where our files are. The other user's runtime directory nobody sets, as there is no session. */
const OURS =
  'XDG_RUNTIME_DIR XDG_DATA_HOME XDG_CONFIG_HOME XDG_CACHE_HOME TSMAN_ROOT TSMAN_RUNROOT';

/** A word for the shell at the other end. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
