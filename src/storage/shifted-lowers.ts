import { join } from 'node:path';
import type { Directories } from '../rootless/directories.ts';

/* Where the layers that shifted-layers.ts makes lie: all that a start needs to know of them. */

export const SHIFTED_LAYERS = 'layers-shifted';
export const DATA_SUFFIX = '-data';

/** The lower directories of an overlay, and what must be said about them. */
export function shiftedLowers(
  { dataRoot }: Directories,
  name: string,
  layers: readonly string[],
): { readonly lowers: string[]; readonly hasData: boolean } {
  const hasData = name.endsWith(DATA_SUFFIX);
  const shifted = layers.map((hex) => join(dataRoot, SHIFTED_LAYERS, name, hex));
  return { lowers: [...shifted, ...(hasData ? [join(dataRoot, 'layers')] : [])], hasData };
}
