import type { OptionSpecs } from './command.ts';

/** Options of `run` and `create` that few people need; container-options.ts has the others. */
export const RARE_CONTAINER_OPTIONS = {
  certDir: { kind: 'text', value: 'DIR', help: "the registry's *.crt and our *.cert, *.key" },
  chrootdirs: {
    kind: 'list',
    value: 'DIR',
    help: 'put /etc/hosts and its like below this directory too',
  },
  conmonPidfile: { kind: 'text', value: 'FILE', help: "write the monitor's pid to a file" },
  disableContentTrust: { kind: 'flag', help: 'ignored, as with Podman', hidden: true },
  dnsOpt: { kind: 'list', value: 'OPTION', help: 'the same as --dns-option', hidden: true },
  domainname: { kind: 'text', value: 'NAME', help: 'NIS domain name in the container' },
  envDefault: {
    kind: 'list',
    value: 'KEY=VALUE',
    help: 'set a variable unless the image does; containers.conf sets this one',
    hidden: true,
  },
  envMerge: {
    kind: 'list',
    value: 'KEY=VALUE',
    help: 'set a variable from others: PATH=$PATH:/opt/bin',
  },
  groupEntry: { kind: 'text', value: 'ENTRY', help: 'the line --user adds to /etc/group' },
  hostsFile: {
    kind: 'text',
    value: 'FILE',
    help: 'begin /etc/hosts with this file; none, or image for the one in the image',
  },
  hostuser: { kind: 'list', value: 'NAME', help: 'add a user of the host to /etc/passwd' },
  imageVolume: {
    kind: 'text',
    value: 'HOW',
    help: "the image's volumes",
    choices: ['anonymous', 'bind', 'tmpfs', 'ignore'],
  },
  passwd: {
    kind: 'flag',
    default: true,
    help: 'add a line to /etc/passwd and /etc/group for a --user who has none',
  },
  passwdEntry: { kind: 'text', value: 'ENTRY', help: 'the line --user adds to /etc/passwd' },
  personality: { kind: 'text', value: 'PERSONA', help: 'execution domain, e.g. LINUX32' },
  preserveFd: { kind: 'list', value: 'FD[,FD...]', help: 'pass these open descriptors on' },
  preserveFds: { kind: 'text', value: 'N', help: 'pass descriptors 3 to 2+N on' },
  requires: { kind: 'list', value: 'CONTAINER', help: 'start these containers first' },
  retry: {
    kind: 'text',
    value: 'NUMBER',
    help: 'further attempts to pull after a failure that may pass (default 3)',
  },
  retryDelay: {
    kind: 'text',
    value: 'DURATION',
    help: 'before the second attempt, doubled each time (default 1s)',
  },
  rmi: { kind: 'flag', help: 'remove the container and its image when it ends' },
  sdnotify: {
    kind: 'text',
    value: 'WHO',
    help: 'who tells systemd that it is ready: container, conmon (when it runs), healthy, ignore',
    choices: ['container', 'conmon', 'healthy', 'ignore'],
  },
  seccompPolicy: {
    kind: 'text',
    value: 'POLICY',
    help: 'where the seccomp profile comes from: default',
  },
  shmSizeSystemd: { kind: 'text', value: 'SIZE', help: 'size of the tmpfs mounts of --systemd' },
  systemd: {
    kind: 'text',
    value: 'WHEN',
    help: 'set up for systemd: true (when it is the command), false, always',
  },
  userns: {
    kind: 'text',
    value: 'MODE',
    help: 'host, keep-id[:uid=,gid=,size=], nomap, auto[:size=], container:NAME, ns:PATH',
  },
  uidmap: { kind: 'list', value: '[FLAGS]CONTAINER:FROM[:COUNT]', help: 'map user ids' },
  gidmap: { kind: 'list', value: '[FLAGS]CONTAINER:FROM[:COUNT]', help: 'map group ids' },
  subuidname: { kind: 'text', value: 'NAME', help: 'map the subordinate ids of this user alone' },
  subgidname: { kind: 'text', value: 'NAME', help: 'the same for group ids' },
} as const satisfies OptionSpecs;
