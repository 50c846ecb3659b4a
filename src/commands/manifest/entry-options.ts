import { UsageError } from '../../base/error.ts';
import type { EntryChanges } from '../../image/manifest-list.ts';
import { parseAnnotations } from '../../image/manifest-list.ts';
import type { CommandContext, OptionSpecs } from '../command.ts';
import { optionName } from '../parse.ts';

/** What is said of an entry: `manifest add` and `manifest annotate`. */
export const ENTRY_OPTIONS = {
  annotation: { kind: 'list', value: 'KEY=VALUE', help: 'an annotation of the entry' },
  arch: { kind: 'text', value: 'ARCH', help: 'its architecture' },
  features: { kind: 'list', value: 'FEATURE', help: 'features of the machine' },
  os: { kind: 'text', value: 'OS', help: 'its operating system' },
  osFeatures: { kind: 'list', value: 'FEATURE', help: 'features of the operating system' },
  osVersion: { kind: 'text', value: 'VERSION', help: "the operating system's version" },
  variant: { kind: 'text', value: 'VARIANT', help: "the architecture's variant" },
} as const satisfies OptionSpecs;

export interface EntryFlags {
  readonly annotation: readonly string[];
  readonly arch: string | undefined;
  readonly features: readonly string[];
  readonly os: string | undefined;
  readonly osFeatures: readonly string[];
  readonly osVersion: string | undefined;
  readonly variant: string | undefined;
}

/** @throws UsageError for options that speak of an entry, where the list itself is meant */
export function refuseEntryOptions({ isSet }: Pick<CommandContext, 'isSet'>): void {
  for (const key of Object.keys(ENTRY_OPTIONS))
    if (key !== 'annotation' && isSet(key))
      throw new UsageError(
        `option --${optionName(key)} is about an image of the list: not with --index`,
      );
}

/** The options as changes of an entry; what was not given stays. */
export function entryChanges(options: EntryFlags): EntryChanges {
  const { arch, os, variant, osVersion, features, osFeatures } = options;
  return {
    platform: {
      ...(arch === undefined ? {} : { architecture: arch }),
      ...(os === undefined ? {} : { os }),
      ...(variant === undefined ? {} : { variant }),
      ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
      ...(osFeatures.length === 0 ? {} : { 'os.features': osFeatures }),
      ...(features.length === 0 ? {} : { features }),
    },
    annotations: parseAnnotations(options.annotation),
  };
}
