/**
 * What can be wrong with a host, in one place: `tsman doctor` prints these words, the hints of errors
 * quote them, docs/troubleshooting.md is generated from them.
 */
export interface Remedy {
  /** What is wrong; `{…}` is filled in by whoever found it. */
  readonly cause: string;
  /** The one command (or, where there is none, the one thing to do) that mends it. */
  readonly fix: string;
  /** Texts of errors that lead here. */
  readonly seenAs?: readonly string[];
}

const SYSCTL_FILE = '/etc/sysctl.d/60-tsman.conf';

/** The line that sets a sysctl now and for every later boot. */
export function sysctl(name: string, value: string): string {
  return `echo '${name} = ${value}' | sudo tee -a ${SYSCTL_FILE} && sudo sysctl --system`;
}

/** User namespaces and what stands in their way. */
export const NAMESPACE_REMEDIES = {
  'no-user-namespaces': {
    cause: 'the kernel was built without user namespaces (no /proc/self/ns/user)',
    fix: 'boot a kernel with CONFIG_USER_NS=y',
    seenAs: ['unshare: invalid argument (EINVAL)'],
  },
  'max-user-namespaces': {
    cause: 'user.max_user_namespaces is {value}: no user may make namespaces',
    fix: sysctl('user.max_user_namespaces', '28633'),
    seenAs: ['unshare: no space left on device (ENOSPC)'],
  },
  'unprivileged-userns-clone': {
    cause: 'kernel.unprivileged_userns_clone is 0: only root may make namespaces',
    fix: sysctl('kernel.unprivileged_userns_clone', '1'),
    seenAs: ['unshare: operation not permitted (EPERM)', 'clone: operation not permitted (EPERM)'],
  },
  'apparmor-userns': {
    cause:
      'kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor takes the powers of programs without a profile',
    fix: 'sudo install -m 644 {share}/apparmor/tsman /etc/apparmor.d/tsman && sudo apparmor_parser -r /etc/apparmor.d/tsman',
    seenAs: ['permission denied (EACCES) in a step named unshare, mount or uid-map'],
  },
  'userns-refused': {
    cause:
      'making a user namespace fails with {errno} although no sysctl forbids it: a seccomp filter or security module of the surroundings does',
    fix: 'in a container: start the outer one with --security-opt seccomp=unconfined; elsewhere: allow unshare(2) in the service or security module',
    seenAs: ['unshare: operation not permitted (EPERM)'],
  },
  'subids-missing': {
    cause: '{user} has no range in {file}: images with files of several users do not fit',
    fix: 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}',
    seenAs: ['has no subordinate ids in /etc/subuid and /etc/subgid'],
  },
  'subids-small': {
    cause: '{user} has only {count} ids in {file}; images use up to 65535',
    fix: 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}',
    seenAs: ['invalid argument (EINVAL) while a layer is unpacked'],
  },
  'subids-overlap': {
    cause: "{user}'s range in {file} overlaps that of {other}, who can then change your files",
    fix: 'sudo usermod --del-subuids {range} --del-subgids {range} {other}, and give {other} another range',
  },
  'subids-outside': {
    cause: "{user}'s range in {file} lies outside the ids of this container",
    fix: 'write a range within /proc/self/uid_map into {file}, e.g. {user}:10000:50000',
    seenAs: ['newuidmap: operation not permitted (EPERM)'],
  },
  'idmap-missing': {
    cause: '{program} is not installed',
    fix: '{install:uidmap}',
    seenAs: ['newuidmap: no such file or directory (ENOENT)'],
  },
  'idmap-powerless': {
    cause: '{path} is neither set-uid root nor has the capability {capability}',
    fix: 'sudo chmod u+s {path}',
    seenAs: ['newuidmap', 'newgidmap'],
  },
  'idmap-nosuid': {
    cause: '{path} lies on a file system mounted nosuid, so its set-uid bit has no effect',
    fix: 'sudo mount -o remount,suid {mount}',
    seenAs: ['newuidmap'],
  },
  'no-new-privileges': {
    cause: 'this session has no_new_privs, under which newuidmap has no powers',
    fix: 'start tsman without NoNewPrivileges= (systemd) or --security-opt no-new-privileges (container)',
    seenAs: ['newuidmap'],
  },
  'overlay-missing': {
    cause: 'the kernel has no overlay file system',
    fix: 'sudo modprobe overlay && echo overlay | sudo tee /etc/modules-load.d/overlay.conf',
    seenAs: ['mount overlay: no such device (ENODEV)'],
  },
  'overlay-old-kernel': {
    cause: 'Linux {release} does not let users mount overlay: 5.11 or later does',
    fix: '{upgrade-kernel}',
    seenAs: ['mount overlay: operation not permitted (EPERM)'],
  },
} as const satisfies Record<string, Remedy>;
