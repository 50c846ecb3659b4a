import { TsmanError, UsageError } from '../../base/error.ts';
import { parseLabels } from '../../container/environment.ts';
import { createNetwork } from '../../network/create-network.ts';
import { parseIP } from '../../network/ip.ts';
import type { NetworkRoute } from '../../network/network.ts';
import { defineCommand } from '../command.ts';
import { parsePairs } from '../request/values.ts';

export const networkCreateCommand = defineCommand({
  paths: [['network', 'create']],
  category: 'Networks',
  summary: 'make a network whose containers find each other by name',
  usage: '[NAME]',
  examples: [
    ['With a name server of its own', 'tsman network create backend'],
    ['Without a way out', 'tsman network create --internal backend'],
    ['With addresses of your choice', 'tsman network create --subnet 10.5.0.0/24 shop'],
  ],
  options: {
    disableDns: { kind: 'flag', help: 'no names: containers find each other by address only' },
    dns: { kind: 'list', value: 'IP', help: 'name server for names outside' },
    driver: {
      kind: 'text',
      short: 'd',
      value: 'DRIVER',
      help: 'bridge, the only one',
      defaultText: 'bridge',
    },
    gateway: { kind: 'list', value: 'IP', help: 'address of the bridge, one for each --subnet' },
    ignore: { kind: 'flag', help: 'no error when it exists' },
    interfaceName: { kind: 'text', value: 'NAME', help: 'name of the bridge' },
    internal: { kind: 'flag', help: 'no way out, only to one another' },
    ipRange: {
      kind: 'list',
      value: 'RANGE',
      help: 'addresses to give to containers: SUBNET or FIRST-LAST',
    },
    ipamDriver: {
      kind: 'text',
      value: 'DRIVER',
      help: 'host-local, the only one',
      defaultText: 'host-local',
    },
    ipv6: { kind: 'flag', help: 'IPv6, too' },
    label: { kind: 'list', value: 'KEY=VALUE', help: 'add a label' },
    opt: { kind: 'list', short: 'o', value: 'KEY=VALUE', help: 'mtu=, isolate=' },
    route: { kind: 'list', value: 'NET,GATEWAY[,METRIC]', help: 'a route in every container' },
    subnet: { kind: 'list', value: 'NET', help: 'addresses, as 10.5.0.0/24' },
  },
  arguments: [0, 1],
  run(options, [name], { openEngine, stdout }) {
    if ((options.driver ?? 'bridge') !== 'bridge')
      throw new TsmanError(
        `option --driver ${options.driver}: only bridge networks can be made without root`,
      );
    if ((options.ipamDriver ?? 'host-local') !== 'host-local')
      throw new TsmanError(
        `option --ipam-driver ${options.ipamDriver}: host-local is the only one`,
      );
    const made = createNetwork(openEngine().storage, {
      name,
      subnets: options.subnet,
      gateways: options.gateway,
      ranges: options.ipRange,
      bridge: options.interfaceName,
      isIPv6: options.ipv6,
      internal: options.internal,
      disableDns: options.disableDns,
      dns: options.dns.map(checkIP),
      labels: parseLabels(options.label, []),
      options: parseOptions(options.opt),
      routes: options.route.map(parseRoute),
    });
    if (made === undefined && !options.ignore)
      throw new TsmanError(`network ${name} exists`, {
        hint: `remove it with tsman network rm ${name}, or use --ignore`,
      });
    stdout.write(`${made?.name ?? name}\n`);
    return 0;
  },
});

function checkIP(text: string): string {
  parseIP('--dns', text);
  return text;
}

function parseOptions(texts: readonly string[]): Record<string, string> {
  const pairs = parsePairs('--opt', texts);
  const options: Record<string, string> = {};
  for (const [key, value] of Object.entries(pairs)) {
    const name = key === 'com.docker.network.driver.mtu' ? 'mtu' : key;
    if (name === 'mtu' && !/^[1-9]\d{2,4}$/.test(value))
      throw new UsageError(`option --opt: mtu ${JSON.stringify(value)} is not a size in bytes`);
    if (name === 'isolate' && !['true', 'strict', '1'].includes(value))
      throw new TsmanError(`option --opt isolate=${value}: networks are always isolated`);
    if (name !== 'mtu' && name !== 'isolate')
      throw new TsmanError(`option --opt: ${key} is not supported; mtu and isolate are`);
    options[name] = value;
  }
  return options;
}

function parseRoute(text: string): NetworkRoute {
  const [destination = '', gateway = '', metric] = text.split(',');
  parseIP('--route', destination.split('/')[0] ?? '');
  parseIP('--route', gateway);
  if (!/\/\d+$/.test(destination) || (metric !== undefined && !/^\d+$/.test(metric)))
    throw new UsageError(`option --route: ${JSON.stringify(text)} is not NET,GATEWAY[,METRIC]`);
  return { destination, gateway, ...(metric === undefined ? {} : { metric: Number(metric) }) };
}
