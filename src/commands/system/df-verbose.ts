import type { DiskUsage } from '../../container/files/disk-usage.ts';
import { parseReference, repositoryName } from '../../oci/reference.ts';
import { formatTable } from '../../output/table.ts';
import { humanSince, humanSize } from '../../output/units.ts';

/** The tables of `system df --verbose`. */
export function verboseUsage({
  images,
  containers,
  volumes,
  unreferencedBytes,
}: DiskUsage): string {
  const imageHead = 'REPOSITORY,TAG,IMAGE ID,CREATED,SIZE,SHARED SIZE,UNIQUE SIZE,CONTAINERS';
  const imageRows = images.map(({ image, sharedBytes, uniqueBytes, containers: users }) => [
    ...repositoryAndTag(image.names[0]),
    image.id.slice(0, 12),
    humanSince(image.createdAt),
    humanSize(sharedBytes + uniqueBytes),
    humanSize(sharedBytes),
    humanSize(uniqueBytes),
    String(users),
  ]);
  const containerRows = containers.map(({ container, sizeBytes, isRunning }) => [
    container.id.slice(0, 12),
    container.spec.imageName,
    container.spec.command.join(' ').replace(/\s+/g, ' ').slice(0, 30),
    humanSize(sizeBytes),
    humanSince(container.createdAt),
    isRunning ? 'running' : 'not running',
    container.name,
  ]);
  const volumeRows = volumes.map(({ volume, sizeBytes, links }) => [
    volume.name,
    String(links),
    humanSize(sizeBytes),
  ]);
  return [
    section('Images', imageHead, imageRows),
    section('Containers', 'CONTAINER ID,IMAGE,COMMAND,SIZE,CREATED,STATUS,NAMES', containerRows),
    section('Local Volumes', 'VOLUME NAME,LINKS,SIZE', volumeRows),
    `Unreferenced: ${humanSize(unreferencedBytes)}, taken away by tsman system prune\n`,
  ].join('\n');
}

function section(name: string, head: string, rows: readonly (readonly string[])[]): string {
  return `${name} space usage:\n\n${formatTable([head.split(','), ...rows.map((row) => [...row])])}`;
}

function repositoryAndTag(name: string | undefined): [string, string] {
  if (name === undefined) return ['<none>', '<none>'];
  const reference = parseReference(name);
  return [repositoryName(reference), reference.tag ?? '<none>'];
}
