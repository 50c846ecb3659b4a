import type { Host } from './host.ts';

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** The mount a path is on: the last of those with the longest mount point. */
export function mountOf(host: Host, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of readMounts(host)) {
    const isAbove =
      mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (isAbove && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  return best;
}

function readMounts(host: Host): Mount[] {
  const text = host.read('/proc/self/mountinfo') ?? '';
  return text.split('\n').flatMap((line) => {
    const [before = '', after] = line.split(' - ');
    const [, , , , point = '', options = ''] = before.split(' ');
    if (after === undefined) return [];
    // Spaces and the like in a path are written as octal.
    const plain = point.replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const [type = '', , superOptions = ''] = after.split(' ');
    return [{ point: plain, type, options: [...options.split(','), ...superOptions.split(',')] }];
  });
}
