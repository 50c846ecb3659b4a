import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TsmanError } from '../../base/error.ts';
import type { RootSource } from '../../container/create.ts';
import type { PlatformWish } from '../../image/platform.ts';
import { digestHex } from '../../oci/digest.ts';
import { matchedName } from '../../storage/image-lookup.ts';
import {
  findImage,
  type ImageRecord,
  loadImageConfig,
  readImageConfig,
} from '../../storage/images.ts';
import type { CommandContext } from '../command.ts';
import type { Engine } from '../engine.ts';
import type { ContainerOptions } from './request.ts';

type ImageOptions = Parameters<typeof import('../options/pull-options.ts').pullForRun>[2];

/** The image that `run` and `create` were given, pulled when the policy says so; or a directory with --rootfs. */
export async function rootSource(
  name: string,
  options: ContainerOptions,
  context: CommandContext,
  engine: Engine,
): Promise<RootSource> {
  if (options.rootfs) {
    const overlay = name.endsWith(':O');
    if (/:idmap/.test(name))
      throw new TsmanError('option --rootfs: id-mapped root directories are not supported');
    const rootfs = resolve(overlay ? name.slice(0, -2) : name);
    if (statSync(rootfs, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new TsmanError(`--rootfs ${rootfs}: no such directory`);
    return {
      imageID: undefined,
      imageName: '',
      layers: [],
      rootfs,
      rootfsOverlay: overlay,
      defaults: {},
    };
  }
  return await imageSource(name, options, context, engine);
}

/** An image as the root, pulled when the policy says so. */
export async function imageSource(
  name: string,
  options: ImageOptions,
  context: CommandContext,
  engine: Engine,
): Promise<RootSource> {
  const wantsOther =
    options.platform !== undefined ||
    options.arch !== undefined ||
    options.os !== undefined ||
    options.variant !== undefined;
  const policy = options.pull ?? (wantsOther ? 'newer' : 'missing');
  const wish = wantsOther
    ? (await import('../options/pull-options.ts')).platformWish(options)
    : undefined;
  const stored =
    policy === 'missing' || policy === 'never' ? findImage(engine.storage, name) : undefined;
  const local = stored !== undefined && (await isFor(engine, stored, wish)) ? stored : undefined;
  if (stored !== undefined && local === undefined && policy === 'never')
    throw new TsmanError(`image ${name} in the store is for another platform`, {
      hint: 'leave --pull never out to get the one asked for',
    });
  // After the look into the store: `hello` is shipped with us, and needs no registry.
  const embedded =
    local ??
    (policy === 'always'
      ? undefined
      : await (await import('../../image/embedded.ts')).loadEmbedded(engine, name));
  const image =
    embedded ??
    (await (
      await import('../options/pull-options.ts')
    ).pullForRun(
      engine,
      name,
      { ...options, pull: stored === undefined ? policy : 'always' },
      context,
    ));
  const config = await loadImageConfig(engine.storage, image);
  return {
    imageID: image.id,
    imageName: matchedName(image, name) ?? image.names[0] ?? name,
    layers: image.layers.map((layer) => digestHex(layer.diffID)).reverse(),
    rootfs: undefined,
    defaults: config.config ?? {},
  };
}

async function isFor(
  engine: Engine,
  image: ImageRecord,
  wish: PlatformWish | undefined,
): Promise<boolean> {
  if (wish === undefined) return true;
  const { resolvePlatform, satisfies } = await import('../../image/platform.ts');
  return satisfies(readImageConfig(engine.storage, image), resolvePlatform(wish));
}
