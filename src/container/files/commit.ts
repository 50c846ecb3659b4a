import { TsmanError } from '../../base/error.ts';
import { applyChanges } from '../../image/changes.ts';
import type { ManifestFormat } from '../../image/convert.ts';
import { manifestFor } from '../../image/new-manifest.ts';
import type { ContainerDefaults, Descriptor, HistoryEntry, ImageConfig } from '../../oci/image.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import { collectIfLeft } from '../../storage/garbage.ts';
import { putImage } from '../../storage/image-put.ts';
import {
  getImage,
  type ImageRecord,
  readImageConfig,
  readImageManifest,
} from '../../storage/images.ts';
import { type MadeLayer, makeLayer } from '../../storage/layer-make.ts';
import { withIngest } from '../../storage/leases.ts';
import { treeTar } from '../../storage/tree-tar.ts';
import type { CreateTarget } from '../create.ts';
import { type Container, readConfig } from '../record.ts';
import { lowerLayers, upperLayer } from '../root/merged-tree.ts';
import { ownerView, rootDriver } from '../root/shifted-root.ts';
import { vfsRoot, vfsSources } from '../root/vfs-root.ts';
import { stubPaths } from '../stubs.ts';
import { commitDefaults } from './commit-config.ts';
import { squashedSources, upperSources } from './commit-tree.ts';

export interface CommitOptions {
  /** Full references. */
  readonly names: readonly string[];
  readonly changes: readonly string[];
  readonly author: string | undefined;
  readonly message: string | undefined;
  readonly format: ManifestFormat;
  /** One layer with everything, instead of the image's layers and one more. */
  readonly squash: boolean;
  readonly includeVolumes: boolean;
}

/** Makes an image from what a container is now: its image's layers and its changes as one more. */
export async function commitContainer(
  target: CreateTarget,
  container: Container,
  options: CommitOptions,
): Promise<ImageRecord> {
  if (container.spec.rootfsOverlay === true)
    throw new TsmanError('commit cannot take a container made with --rootfs DIR:O', {
      hint: 'tsman export and tsman import make an image of it',
    });
  // First, so that a mistake in --change does not cost the copy.
  const own = commitDefaults(
    container,
    readConfig(target.storage, container.id),
    options.includeVolumes,
  );
  applyChanges(own, options.changes);
  try {
    return await withIngest(target.storage, async () => {
      const base = baseOf(target, container);
      const layer = await makeLayer(target, layerTar(target, container, options.squash));
      const defaults = applyChanges({ ...base.config.config, ...own }, options.changes);
      const isNew = options.squash || container.spec.layers.length === 0;
      const config = newConfig(base.config, isNew, layer, { ...options, defaults, container });
      const layers = [...(isNew ? [] : base.layers), layer.descriptor];
      return putImage(target.storage, {
        ...manifestFor(config, layers, options.format),
        names: options.names,
      });
    });
  } finally {
    await collectIfLeft(target);
  }
}

interface Base {
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
}

function baseOf({ storage }: CreateTarget, { imageID, spec }: Container): Base {
  if (imageID !== undefined && spec.rootfs === undefined) {
    const image = getImage(storage, imageID);
    return {
      config: readImageConfig(storage, image),
      layers: readImageManifest(storage, image).layers,
    };
  }
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  return {
    config: { architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    layers: [],
  };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Two agents: one walks, meanwhile the other reads what the first has found. */
async function* layerTar(
  target: CreateTarget,
  container: Container,
  isSquashed: boolean,
): AsyncGenerator<Buffer> {
  const { rootfs } = container.spec;
  const directory = rootfs ?? target.directories.dataRoot;
  const stubs = stubPaths(readConfig(target.storage, container.id), container);
  const upper = rootfs === undefined ? upperLayer(container) : '';
  const lower = rootfs === undefined ? lowerLayers(container) : [];
  const isVfs = container.spec.driver === 'vfs' && rootfs === undefined;
  const view = ownerView(target, container, isVfs ? vfsRoot(container) : upper);
  const walker = openFsAgent(target, directory, view);
  const reader = openFsAgent(target, directory, view);
  try {
    const sources =
      isSquashed || rootfs !== undefined
        ? squashedSources(walker, isVfs ? vfsRoot(container) : upper, isVfs ? [] : lower, stubs)
        : isVfs
          ? await vfsSources(walker, container, stubs)
          : upperSources(
              { walker, asker: reader },
              upper,
              lower,
              stubs,
              rootDriver(container.spec) === 'fuse-overlayfs',
            );
    yield* treeTar(reader, sources, { sparse: true });
  } finally {
    await Promise.all([walker.close({ kill: true }), reader.close({ kill: true })]);
  }
}

/** The image's configuration with the container's settings and one more step in its history. */
function newConfig(
  base: ImageConfig,
  isNew: boolean,
  layer: MadeLayer,
  made: CommitOptions & { defaults: ContainerDefaults; container: Container },
): ImageConfig {
  const created = new Date().toISOString();
  const { author, message, container } = made;
  const step: HistoryEntry = {
    created,
    created_by: container.spec.command.join(' ') || '/bin/sh',
    ...(author === undefined ? {} : { author }),
    ...(message === undefined ? {} : { comment: message }),
  };
  // Steps that left no layer stay true when the layers become one.
  const before = wholeHistory(base).filter((entry) => !isNew || entry.empty_layer === true);
  return {
    created,
    ...(author === undefined
      ? base.author === undefined
        ? {}
        : { author: base.author }
      : { author }),
    architecture: base.architecture,
    os: base.os,
    ...(base.variant === undefined ? {} : { variant: base.variant }),
    config: made.defaults,
    rootfs: {
      type: 'layers',
      diff_ids: [...(isNew ? [] : base.rootfs.diff_ids), layer.diffID],
    },
    history: [...before, step],
  };
}

/** Readers count steps and layers together: a layer whose making nobody wrote down gets a step. */
function wholeHistory({ history = [], rootfs, created }: ImageConfig): HistoryEntry[] {
  const known = history.filter((entry) => entry.empty_layer !== true).length;
  const missing = Math.max(0, rootfs.diff_ids.length - known);
  return [
    ...history,
    ...Array<HistoryEntry>(missing).fill(created === undefined ? {} : { created }),
  ];
}
