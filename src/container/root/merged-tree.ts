import type { Container } from '../record.ts';

export {
  isDirectory,
  isOpaque,
  isWhiteout,
  type MergedEntry,
  type MergedTree,
  mergeLayers,
} from '../../storage/merged-tree.ts';

/** The directories of a container's lower layers below the data root, uppermost first. */
export function lowerLayers(container: Container): string[] {
  return container.spec.layers.map((hex) => `layers/${hex}`);
}

export function upperLayer(container: Pick<Container, 'id'>): string {
  return `containers/${container.id}/upper`;
}
