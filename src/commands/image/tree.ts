import { humanSize } from '../../output/units.ts';
import { requireImage } from '../../storage/image-lookup.ts';
import { type ImageRecord, listImages } from '../../storage/images.ts';
import { defineCommand } from '../command.ts';

export const imageTreeCommand = defineCommand({
  paths: [['image', 'tree']],
  category: 'Images',
  summary: 'show the layers of an image, and which images end in them',
  usage: 'IMAGE',
  examples: [
    ['Layers and the names on them', 'tsman image tree debian:12'],
    ['Images made from this one', 'tsman image tree --whatrequires debian:12'],
  ],
  options: {
    whatrequires: { kind: 'flag', help: 'show the images that are made from this one' },
  },
  arguments: [1, 1],
  completes: 'images',
  run({ whatrequires }, [name = ''], { openEngine, stdout }) {
    const { storage } = openEngine();
    const image = requireImage(storage, name);
    const images = listImages(storage);
    const head = `Image ID: ${image.id.slice(0, 12)}\nTags:     [${image.names.join(' ')}]\nSize:     ${humanSize(image.sizeBytes)}\n`;
    const lines = whatrequires ? requiring(image, images, '') : layerLines(image, images);
    stdout.write(
      `${head}${whatrequires ? `Image ID: ${image.id.slice(0, 12)}` : 'Image Layers'}\n`,
    );
    stdout.write(lines.map((line) => `${line}\n`).join(''));
    return 0;
  },
});

function layerLines({ layers }: ImageRecord, images: readonly ImageRecord[]): string[] {
  return layers.map(({ diffID, sizeBytes }, i) => {
    const ending = images.filter(
      (image) => image.layers.length === i + 1 && isBase(image.layers, layers),
    );
    const names = ending.flatMap((image) =>
      image.names.length > 0 ? image.names : ['<none>:<none>'],
    );
    const top = names.length === 0 ? '' : ` Top Layer of: [${names.join(' ')}]`;
    const branch = i === layers.length - 1 ? '└──' : '├──';
    return `${branch} ID: ${diffID.slice(7, 19)} Size: ${humanSize(sizeBytes)}${top}`;
  });
}

/** The images whose layers are these and more, each below the longest image it is made from. */
function requiring(base: ImageRecord, images: readonly ImageRecord[], indent: string): string[] {
  const above = images.filter(
    (image) => image.layers.length > base.layers.length && isBase(base.layers, image.layers),
  );
  const children = above.filter(
    (image) =>
      !above.some(
        (other) => other.layers.length < image.layers.length && isBase(other.layers, image.layers),
      ),
  );
  return children.flatMap((image, i) => {
    const isLast = i === children.length - 1;
    const line = `${indent}${isLast ? '└──' : '├──'} ID: ${image.id.slice(0, 12)} Tags: [${image.names.join(' ')}]`;
    return [line, ...requiring(image, images, `${indent}${isLast ? '    ' : '│   '}`)];
  });
}

function isBase(lower: ImageRecord['layers'], all: ImageRecord['layers']): boolean {
  return lower.every(({ diffID }, i) => diffID === all[i]?.diffID);
}
