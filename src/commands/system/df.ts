import { UsageError } from '../../base/error.ts';
import { type DiskUsage, measureDiskUsage } from '../../container/files/disk-usage.ts';
import { formatRows } from '../../output/template.ts';
import { humanSize } from '../../output/units.ts';
import { defineCommand } from '../command.ts';
import { verboseUsage } from './df-verbose.ts';

const HEADERS = {
  Type: 'TYPE',
  Total: 'TOTAL',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  RawSize: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
  RawReclaimable: 'RECLAIMABLE',
} as const;

export const systemDfCommand = defineCommand({
  paths: [['system', 'df']],
  category: 'System',
  summary: 'show what images, containers and volumes take on the disk',
  usage: '',
  examples: [
    ['A summary', 'tsman system df'],
    ['Each image, container and volume', 'tsman system df --verbose'],
  ],
  options: {
    format: { kind: 'text', value: 'FORMAT', help: 'json, or a Go template for each line' },
    verbose: { kind: 'flag', short: 'v', help: 'every image, container and volume' },
  },
  arguments: [0, 0],
  async run({ format, verbose }, _args, { openEngine, stdout }) {
    if (verbose && format !== undefined)
      throw new UsageError('give --verbose or --format, not both');
    const usage = await measureDiskUsage(openEngine());
    if (verbose) stdout.write(verboseUsage(usage));
    else
      stdout.write(
        formatRows(
          format ?? 'table {{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
          rows(usage),
          HEADERS,
        ),
      );
    return 0;
  },
});

function rows(usage: DiskUsage): object[] {
  const { images, containers, volumes } = usage;
  const stopped = containers.filter(({ isRunning }) => !isRunning);
  const unlinked = volumes.filter(({ links }) => links === 0);
  const sum = (list: readonly { readonly sizeBytes: number }[]): number =>
    list.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const used = images.filter((image) => image.containers > 0).length;
  const { imageBytes, reclaimableImageBytes, unreferencedBytes } = usage;
  return [
    row('Images', [images.length, used], imageBytes, reclaimableImageBytes),
    row(
      'Containers',
      [containers.length, containers.length - stopped.length],
      sum(containers),
      sum(stopped),
    ),
    row(
      'Local Volumes',
      [volumes.length, volumes.length - unlinked.length],
      sum(volumes),
      sum(unlinked),
    ),
    row('Unreferenced', ['-', '-'], unreferencedBytes, unreferencedBytes),
  ];
}

function row(
  type: string,
  [total, active]: readonly [number | string, number | string],
  sizeBytes: number,
  reclaimableBytes: number,
): object {
  const percent = sizeBytes === 0 ? 0 : Math.round((100 * reclaimableBytes) / sizeBytes);
  return {
    Type: type,
    Total: total,
    // Docker's name.
    TotalCount: total,
    Active: active,
    Size: humanSize(sizeBytes),
    RawSize: sizeBytes,
    Reclaimable: `${humanSize(reclaimableBytes)} (${percent}%)`,
    RawReclaimable: reclaimableBytes,
  };
}
