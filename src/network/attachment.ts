import { TsmanError, UsageError } from '../base/error.ts';
import { isIPv4, isIPv6 } from '../base/ip-address.ts';
import type { Storage } from '../storage/storage.ts';
import { DEFAULT_NETWORK_NAME } from './constants.ts';
import { contains, parseIP, parseSubnet } from './ip.ts';
import { findNetwork, isDefaultName, type Network } from './network.ts';

/** A container's place in a network. Stored as JSON; add, never rename. */
export interface NetworkAttachment {
  readonly network: string;
  readonly ip?: string;
  readonly ip6?: string;
  readonly mac?: string;
  readonly aliases: readonly string[];
  readonly interfaceName?: string;
}

const MODES = /^(host|none|pasta|container:.*|ns:.*|pasta:.*|slirp4netns.*)$/s;

/** Whether `--network VALUE` names a network rather than a mode. */
export function isNetworkName(value: string): boolean {
  return !MODES.test(value);
}

/** Parses `NAME[:ip=…,ip6=…,mac=…,alias=…,interface_name=…]`. @throws UsageError */
export function parseAttachment(text: string): NetworkAttachment {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const network = isDefaultName(name) ? DEFAULT_NETWORK_NAME : name;
  const words = colon < 0 ? [] : text.slice(colon + 1).split(',');
  let attachment: NetworkAttachment = { network, aliases: [] };
  for (const word of words) {
    const [, key = '', value = ''] = /^([a-z0-9_]+)=(.+)$/.exec(word) ?? [];
    attachment = withSetting(attachment, text, key, value);
  }
  return attachment;
}

function withSetting(
  attachment: NetworkAttachment,
  text: string,
  key: string,
  value: string,
): NetworkAttachment {
  switch (key) {
    case 'ip':
      if (!isIPv4(value) && !isIPv6(value)) break;
      return { ...attachment, ...(isIPv4(value) ? { ip: value } : { ip6: value }) };
    case 'ip6':
      if (!isIPv6(value)) break;
      return { ...attachment, ip6: value };
    case 'mac':
      return { ...attachment, mac: parseMac('--network', value) };
    case 'alias':
      return { ...attachment, aliases: [...attachment.aliases, value] };
    case 'interface_name':
      if (!/^[^/:\s]{1,15}$/.test(value)) break;
      return { ...attachment, interfaceName: value };
  }
  throw new UsageError(`option --network: ${JSON.stringify(text)} is not understood`, {
    hint: 'the form is NAME[:ip=ADDRESS,ip6=ADDRESS,mac=ADDRESS,alias=NAME,interface_name=NAME]',
  });
}

/** @throws UsageError */
export function parseMac(option: string, text: string): string {
  const mac = text.toLowerCase().replaceAll('-', ':');
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) || Number(`0x${mac.slice(0, 2)}`) % 2 === 1)
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not a MAC address`);
  return mac;
}

/** What `--ip`, `--ip6`, `--mac-address` and `--network-alias` add. */
export interface AttachmentOptions {
  readonly ip: string | undefined;
  readonly ip6: string | undefined;
  readonly mac: string | undefined;
  readonly aliases: readonly string[];
}

/** The networks of `run` and `create`. @throws UsageError */
export function parseAttachments(
  values: readonly string[],
  options: AttachmentOptions,
): NetworkAttachment[] {
  const attachments = (values.length === 0 ? [DEFAULT_NETWORK_NAME] : values)
    .filter(isNetworkName)
    .map(parseAttachment);
  checkSingle(attachments, options);
  if (options.ip !== undefined && !isIPv4(options.ip))
    throw new UsageError(`option --ip: ${JSON.stringify(options.ip)} is not an IPv4 address`);
  if (options.ip6 !== undefined && !isIPv6(options.ip6))
    throw new UsageError(`option --ip6: ${JSON.stringify(options.ip6)} is not an IPv6 address`);
  const mac = options.mac === undefined ? undefined : parseMac('--mac-address', options.mac);
  return attachments.map((attachment) => ({
    ...attachment,
    ...(options.ip === undefined ? {} : { ip: options.ip }),
    ...(options.ip6 === undefined ? {} : { ip6: options.ip6 }),
    ...(mac === undefined ? {} : { mac }),
    aliases: [
      ...attachment.aliases,
      ...(attachment.network === DEFAULT_NETWORK_NAME ? [] : options.aliases),
    ],
  }));
}

function checkSingle(attachments: readonly NetworkAttachment[], options: AttachmentOptions): void {
  const single = { '--ip': options.ip, '--ip6': options.ip6, '--mac-address': options.mac };
  for (const [option, value] of Object.entries(single)) {
    if (value !== undefined && attachments.length !== 1)
      throw new UsageError(
        attachments.length === 0
          ? `option ${option} needs a network with addresses to choose: the default one, or one made by tsman network create`
          : `option ${option}: which of the networks? Use --network NAME:ip=…,mac=…`,
      );
  }
  const named = attachments.filter(({ network }) => network !== DEFAULT_NETWORK_NAME);
  if (
    (options.aliases.length > 0 && named.length === 0) ||
    attachments.some((one) => !named.includes(one) && one.aliases.length > 0)
  )
    throw new UsageError('option --network-alias: the default network has no names', {
      hint: 'make one that has with tsman network create NAME, and give it with --network NAME',
    });
}

/** The same with whole names, once the networks are known to exist and to have the addresses. @throws TsmanError */
export function checkAttachments(
  storage: Storage,
  attachments: readonly NetworkAttachment[],
): NetworkAttachment[] {
  const seen = new Set<string>();
  return attachments.map((attachment) => {
    const network = findNetwork(storage, attachment.network);
    if (seen.has(network.name))
      throw new UsageError(`option --network: ${network.name} is given twice`);
    seen.add(network.name);
    for (const address of [attachment.ip, attachment.ip6])
      if (address !== undefined) checkAddress(network, address);
    return { ...attachment, network: network.name };
  });
}

function checkAddress(network: Network, text: string): void {
  const { family, value } = parseIP('--ip', text);
  const fits = network.subnets.some(({ subnet }) =>
    contains(parseSubnet('--subnet', subnet), family, value),
  );
  if (!fits)
    throw new TsmanError(
      `address ${text} is in no subnet of network ${network.name}: ${network.subnets.map(({ subnet }) => subnet).join(', ')}`,
    );
  if (network.subnets.some(({ gateway }) => gateway === text))
    throw new TsmanError(`address ${text} is the gateway of network ${network.name}`);
}
