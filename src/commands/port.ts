import { TsmanError, UsageError } from '../base/error.ts';
import type { Container } from '../container/record.ts';
import { readState } from '../container/state.ts';
import { containerPortName } from '../network/ports.ts';
import { defineCommand } from './command.ts';
import { existingContainer, existingContainers } from './selection.ts';

export const portCommand = defineCommand({
  paths: [['port'], ['container', 'port']],
  category: 'Containers',
  summary: 'list the published ports of containers',
  usage: 'CONTAINER [PORT[/PROTOCOL]]',
  examples: [
    ['Every published port', 'tsman port web'],
    ['Of all containers', 'tsman port --all'],
    ["Where a server's port 80 is", 'tsman port web 80'],
  ],
  options: {
    all: { kind: 'flag', short: 'a', help: 'of every running container' },
    latest: { kind: 'flag', short: 'l', help: 'of the container made last' },
  },
  arguments: [0, 2],
  completes: 'running',
  run(options, args, { openEngine, stdout }) {
    const engine = openEngine();
    if (options.all) {
      if (args.length > 0) throw new UsageError('option --all takes no container');
      for (const container of existingContainers(engine)) {
        if (readState(engine.directories, container.id).pid === 0) continue;
        for (const { name, host } of publishedPorts(container))
          stdout.write(`${container.id.slice(0, 12)}\t${name} -> ${host}\n`);
      }
      return 0;
    }
    const [first, second] = args;
    const latest = options.latest ? existingContainers(engine).at(-1) : undefined;
    const wanted = options.latest ? first : second;
    if (latest === undefined && first === undefined)
      throw new UsageError('which container? Give a name or ID, or --all or --latest');
    const container = latest ?? existingContainer(engine, first ?? '');
    const ports = publishedPorts(container);
    if (wanted === undefined) {
      stdout.write(ports.map(({ name, host }) => `${name} -> ${host}\n`).join(''));
      return 0;
    }
    const name = wanted.includes('/') ? wanted : `${wanted}/tcp`;
    const found = ports.filter((port) => port.name === name);
    if (found.length === 0)
      throw new TsmanError(`no published port ${wanted} of container ${container.name}`);
    stdout.write(found.map(({ host }) => `${host}\n`).join(''));
    return 0;
  },
});

/** `80/tcp` and where it is on the host, one for each port of a range, in the order of the ports. */
function publishedPorts(container: Container): { name: string; host: string }[] {
  const ports = container.spec.ports.flatMap((port) => {
    const ip = port.hostIP === '' ? '0.0.0.0' : port.hostIP;
    const address = ip.includes(':') ? `[${ip}]` : ip;
    return Array.from({ length: port.range }, (_, offset) => ({
      name: containerPortName(port, offset),
      host: `${address}:${port.hostPort + offset}`,
    }));
  });
  const number = ({ name }: { name: string }): number => Number.parseInt(name, 10);
  return ports.sort((a, b) => number(a) - number(b) || a.name.localeCompare(b.name));
}
