import { connectContainer } from '../../container/network/network-live.ts';
import { checkAttachments, parseAttachments } from '../../network/attachment.ts';
import { findNetwork } from '../../network/network.ts';
import { defineCommand } from '../command.ts';
import { existingContainer } from '../selection.ts';

export const networkConnectCommand = defineCommand({
  paths: [['network', 'connect']],
  category: 'Networks',
  summary: 'put a container on one more network, also while it runs',
  usage: 'NETWORK CONTAINER',
  examples: [
    ['While it runs', 'tsman network connect backend web'],
    ['Under one more name', 'tsman network connect --alias db backend postgres1'],
  ],
  options: {
    alias: { kind: 'list', value: 'NAME', help: 'one more name on this network' },
    ip: { kind: 'text', value: 'IP', help: 'IPv4 address' },
    ip6: { kind: 'text', value: 'IP', help: 'IPv6 address' },
    macAddress: { kind: 'text', value: 'MAC', help: 'MAC address' },
  },
  arguments: [2, 2],
  completes: 'networks',
  async run(options, [name = '', containerName = ''], { openEngine }) {
    const engine = openEngine();
    const network = findNetwork(engine.storage, name);
    const parsed = parseAttachments([network.name], {
      ip: options.ip,
      ip6: options.ip6,
      mac: options.macAddress,
      aliases: options.alias,
    });
    const [attachment] = checkAttachments(engine.storage, parsed);
    if (attachment !== undefined)
      await connectContainer(engine, existingContainer(engine, containerName), network, attachment);
    return 0;
  },
});
