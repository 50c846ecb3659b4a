import type { OptionSpecs } from './command.ts';

/** `--all`, `--latest`, `--cidfile`: shared by the commands that work on several containers. */
export const SELECTION_OPTIONS = {
  all: { kind: 'flag', short: 'a', help: 'every container' },
  latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  cidfile: { kind: 'list', value: 'FILE', help: 'read a container ID from a file' },
} as const satisfies OptionSpecs;
