import { containerMountPoint, isMounted, mountContainer } from '../../container/root/mount.ts';
import { defineCommand } from '../command.ts';
import { requireMountPower } from '../image/mount.ts';
import { existingContainer, existingContainers } from '../selection.ts';

export const mountCommand = defineCommand({
  paths: [['mount'], ['container', 'mount']],
  category: 'Containers',
  summary:
    "mount containers' root file systems, in tsman unshare or as root, or list those mounted",
  usage: '[CONTAINER...]',
  examples: [
    ['All containers, and where they are', 'tsman mount'],
    ['In the shell of tsman unshare', 'tsman mount web'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'all containers' },
    format: { kind: 'text', value: 'FORMAT', help: 'json', choices: ['json'] },
    latest: { kind: 'flag', short: 'l', help: 'the one made last' },
    noTrunc: { kind: 'flag', help: 'show IDs in full' },
  },
  arguments: [0, Number.POSITIVE_INFINITY],
  completes: 'containers',
  async run({ all, format, latest, noTrunc }, names, { openEngine, stdout }) {
    const engine = openEngine();
    requireMountPower(engine, 'mount');
    const { directories } = engine;
    const existing = existingContainers(engine);
    const chosen = all
      ? existing
      : latest
        ? existing.slice(-1)
        : names.map((name) => existingContainer(engine, name));
    const rows: { id: string; name: string; mountpoint: string }[] = [];
    for (const container of chosen)
      rows.push({
        ...{ id: container.id, name: container.name },
        mountpoint: await mountContainer(engine, container),
      });
    if (!all && !latest && names.length === 0)
      for (const { id, name } of existing.filter((it) => isMounted(directories, it.id)))
        rows.push({ id, name, mountpoint: containerMountPoint(directories, id) });
    if (format === 'json') stdout.write(`${JSON.stringify(rows, undefined, 4)}\n`);
    else if (names.length === 1) stdout.write(`${rows[0]?.mountpoint}\n`);
    else
      for (const { id, mountpoint } of rows)
        stdout.write(`${noTrunc ? id : id.slice(0, 12)}  ${mountpoint}\n`);
    return 0;
  },
});
