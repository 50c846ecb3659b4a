import { UsageError } from '../../base/error.ts';
import { COMPRESSION_LEVELS, type WantedCompression } from '../../image/recompress.ts';
import type { CommandContext, OptionSpecs } from '../command.ts';
import { wholeNumber } from './registry-options.ts';

/** How push sends layers. */
export const COMPRESSION_OPTIONS = {
  compressionFormat: {
    kind: 'text',
    value: 'FORMAT',
    help: 'how layers are compressed',
    defaultText: 'as stored',
    choices: ['gzip', 'zstd'],
  },
  compressionLevel: {
    kind: 'text',
    value: 'LEVEL',
    help: 'of layers that are compressed anew: 1 to 9, zstd 1 to 19',
    defaultText: '6, zstd 3',
  },
  forceCompression: {
    kind: 'flag',
    help: 'compress also layers anew that have the format already',
  },
} as const satisfies OptionSpecs;

export interface CompressionFlags {
  readonly compressionFormat?: string | undefined;
  readonly compressionLevel?: string | undefined;
  readonly forceCompression?: boolean | undefined;
}

/** Undefined: layers go out as they are stored. */
export function wantedCompression(
  { compressionFormat, compressionLevel, forceCompression }: CompressionFlags,
  context: Pick<CommandContext, 'isSet'>,
): WantedCompression | undefined {
  if (compressionFormat === 'zstd:chunked')
    throw new UsageError('option --compression-format: layers are not written as zstd:chunked', {
      hint: 'use zstd; zstd:chunked layers are read as zstd',
    });
  const format = oneOf('--compression-format', compressionFormat, ['gzip', 'zstd'] as const);
  if (format === undefined) {
    const alone = forceCompression ? '--force-compression' : '--compression-level';
    if (forceCompression || context.isSet('compressionLevel'))
      throw new UsageError(`option ${alone} needs --compression-format`, {
        hint: 'layers go out as they are stored unless a format is given',
      });
    return undefined;
  }
  const level = wholeNumber('--compression-level', compressionLevel, 1);
  const [, most] = COMPRESSION_LEVELS[format];
  if (level !== undefined && level > most)
    throw new UsageError(`option --compression-level: ${format} has levels 1 to ${most}`);
  return { format, level, isForced: forceCompression };
}

/** @throws UsageError for a word that is none of the choices */
export function oneOf<T extends string>(
  option: string,
  text: string | undefined,
  choices: readonly T[],
): T | undefined {
  const found = choices.find((choice) => choice === text);
  if (text !== undefined && found === undefined)
    throw new UsageError(
      `option ${option}: ${JSON.stringify(text)} is none of ${choices.join(', ')}`,
    );
  return found;
}
