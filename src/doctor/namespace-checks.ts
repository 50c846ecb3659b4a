import { type Check, type Finding, isKernelAtLeast, ok, problem, sysctl } from './check.ts';
import type { Host } from './host.ts';

/** Whether an ordinary user may make namespaces, and who forbids it. */
export const NAMESPACE_CHECKS: readonly Check[] = [
  {
    name: 'kernel',
    steps: ['mount_setattr', 'overlay'],
    run: (host) =>
      isKernelAtLeast(host.release, 5, 12)
        ? ok(`Linux ${host.release}`)
        : problem('missing', 'kernel-old', host),
  },
  {
    name: 'user namespaces',
    steps: ['unshare', 'clone', 'userns', 'uid-map', 'gid-map'],
    forUsers: true,
    run: userNamespaces,
  },
  {
    name: 'overlay',
    steps: ['overlay', 'mount'],
    run: overlay,
  },
];

function userNamespaces(host: Host): Finding {
  if (host.stat('/proc/self/ns/user') === undefined)
    return problem('missing', 'no-user-namespaces', host);
  const most = sysctl(host, 'user.max_user_namespaces');
  if (most === '0') return problem('missing', 'max-user-namespaces', host, { value: most });
  if (sysctl(host, 'kernel.unprivileged_userns_clone') === '0')
    return problem('missing', 'unprivileged-userns-clone', host);
  if (sysctl(host, 'kernel.apparmor_restrict_unprivileged_userns') === '1' && !hasProfile(host))
    return problem('missing', 'apparmor-userns', host);
  const errno = host.tryUserns();
  if (errno !== undefined) return problem('missing', 'userns-refused', host, { errno });
  return ok(most === undefined ? 'can be made' : `up to ${most}`);
}

/** A profile with `userns,` for this helper. Which profiles are loaded only root may read. */
function hasProfile(host: Host): boolean {
  return ['tsman', 'tsman-helper'].some((name) => {
    const text = host.read(`/etc/apparmor.d/${name}`);
    return text !== undefined && /^\s*userns,/m.test(text);
  });
}

function overlay(host: Host): Finding {
  if (host.uid !== 0 && !isKernelAtLeast(host.release, 5, 11))
    return problem('missing', 'overlay-old-kernel', host);
  if (/\boverlay$/m.test(host.read('/proc/filesystems') ?? '')) return ok('in the kernel');
  // Not loaded yet: the first mount loads it, also from inside a user namespace.
  const modules = `/lib/modules/${host.release}/kernel/fs/overlayfs/overlay.ko`;
  const isModule = ['', '.xz', '.zst', '.gz'].some((end) => host.stat(modules + end) !== undefined);
  return isModule ? ok('as a module') : problem('missing', 'overlay-missing', host);
}
