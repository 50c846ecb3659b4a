import type { OptionSpecs, OptionValues } from '../command.ts';
import type { Selection } from '../selection.ts';

/** `--all`, `--latest`, `--cidfile`: shared by the commands that work on several containers. */
export const SELECTION_OPTIONS = {
  all: { kind: 'flag', short: 'a', help: 'every container' },
  latest: { kind: 'flag', short: 'l', help: 'the container made last' },
  cidfile: { kind: 'list', value: 'FILE', help: 'read a container ID from a file' },
} as const satisfies OptionSpecs;

/** `--filter`, where `-f` is free for it. */
export const FILTER_OPTION = {
  kind: 'list',
  short: 'f',
  value: 'KEY=VALUE',
  help: 'those that match, as with ps',
} as const;

/** What the user chose with these options. */
export function selectionOf(
  names: readonly string[],
  options: Partial<OptionValues<typeof SELECTION_OPTIONS>> & {
    readonly filter?: readonly string[];
  },
  ignoreMissing = false,
): Selection {
  return {
    names,
    all: options.all ?? false,
    latest: options.latest ?? false,
    cidfiles: options.cidfile ?? [],
    filters: options.filter ?? [],
    ignoreMissing,
  };
}
