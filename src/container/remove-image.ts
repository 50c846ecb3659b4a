import { collectGarbage } from '../storage/garbage.ts';
import { containersUsing, listImages, removeImage } from '../storage/images.ts';
import type { CreateTarget } from './create.ts';

/** What `--rmi` asks for: the image goes, unless another container uses it. @returns whether it went */
export async function removeImageIfUnused(target: CreateTarget, imageID: string): Promise<boolean> {
  const image = listImages(target.storage).find(({ id }) => id === imageID);
  if (image === undefined || containersUsing(target.storage, imageID).length > 0) return false;
  removeImage(target.storage, image);
  await collectGarbage(target);
  return true;
}
