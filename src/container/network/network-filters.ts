import { UsageError } from '../../base/error.ts';
import { DEFAULT_NETWORK_NAME } from '../../network/constants.ts';
import type { Network } from '../../network/network.ts';
import type { CreateTarget } from '../create.ts';
import { membersOf } from './network-members.ts';

/** Those that match `--filter KEY=VALUE`: values of one key are alternatives, labels must all be there. */
export function filterNetworks(
  target: CreateTarget,
  networks: readonly Network[],
  filters: readonly string[],
): Network[] {
  const pairs = filters.map(parse);
  const keys = [...new Set(pairs.map(({ key }) => key))];
  return networks.filter((network) =>
    keys.every((key) => {
      const values = pairs.filter((pair) => pair.key === key).map(({ value }) => value);
      return key.startsWith('label')
        ? values.every((value) => matches(target, network, key, value))
        : values.some((value) => matches(target, network, key, value));
    }),
  );
}

const KEYS = ['name', 'id', 'driver', 'label', 'label!', 'dangling', 'until'];

function parse(text: string): { key: string; value: string } {
  const [, key = '', value = ''] = /^([a-z]+!?)=(.*)$/s.exec(text) ?? [];
  if (!KEYS.includes(key))
    throw new UsageError(
      `option --filter: ${JSON.stringify(text)}: want KEY=VALUE with ${KEYS.join(', ')}`,
    );
  return { key, value };
}

function matches(target: CreateTarget, network: Network, key: string, value: string): boolean {
  switch (key) {
    case 'name':
      return network.name.includes(value);
    case 'id':
      return network.id.startsWith(value);
    case 'driver':
      return network.driver === value;
    case 'label':
      return hasLabel(network, value);
    case 'label!':
      return !hasLabel(network, value);
    case 'dangling':
      return isDangling(target, network) === (value === 'true' || value === '1');
    default:
      return Date.parse(network.created) < untilTime(value);
  }
}

function hasLabel({ labels = {} }: Network, text: string): boolean {
  const equals = text.indexOf('=');
  if (equals < 0) return labels[text] !== undefined;
  return labels[text.slice(0, equals)] === text.slice(equals + 1);
}

/** No container names it. The default network is never left over. */
export function isDangling(target: CreateTarget, network: Network): boolean {
  return network.name !== DEFAULT_NETWORK_NAME && membersOf(target, network).length === 0;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `24h`, seconds since 1970, or a date. @throws UsageError */
function untilTime(text: string): number {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Date.now() - Number(count) * (UNITS[unit] ?? 1) * 1000;
  const time = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time))
    throw new UsageError(`option --filter: until=${text} is neither a time nor a duration`);
  return time;
}
