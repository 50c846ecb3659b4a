import { readIfExists } from '../base/file.ts';
import { nodeOs } from '../base/late-modules.ts';

/** What a container on the default network sees of IPv4. */
export interface PrivateAddresses {
  readonly guest: string;
  readonly gateway: string;
  /** Answers for the host's own resolver where that one listens on loopback only. */
  readonly resolver: string;
  readonly prefix: number;
}

const PREFIX = 24;
const CANDIDATES = ['10.0.2', '10.112.2', '172.30.252', '192.168.253'];

/**
 * Addresses of no network of this host: with the host's own ones, which pasta copies unless told
 * otherwise, a container could not reach the host, and a network that changes would break it.
 */
export function privateAddresses(): PrivateAddresses {
  const routes = hostRoutes();
  const free = CANDIDATES.find((base) => {
    const network = addressNumber(`${base}.0`);
    return !routes.some(
      ({ destination, mask }) => mask !== 0 && overlaps(network, destination, mask),
    );
  });
  const base = free ?? '10.0.2';
  return { guest: `${base}.100`, gateway: `${base}.2`, resolver: `${base}.3`, prefix: PREFIX };
}

function overlaps(network: number, destination: number, mask: number): boolean {
  const common = (mask & (2 ** 32 - 2 ** (32 - PREFIX))) >>> 0;
  return (network & common) >>> 0 === (destination & common) >>> 0;
}

interface Route {
  readonly interfaceName: string;
  readonly destination: number;
  readonly mask: number;
}

/** The host's IPv4 routes, from /proc/net/route: hexadecimal, in the byte order of the machine. */
function hostRoutes(): Route[] {
  const lines = (readIfExists('/proc/net/route') ?? '').split('\n').slice(1);
  return lines.flatMap((line) => {
    const [interfaceName = '', destination, , , , , , mask] = line.split('\t');
    if (destination === undefined || mask === undefined) return [];
    return [{ interfaceName, destination: swapped(destination), mask: swapped(mask) }];
  });
}

function swapped(hex: string): number {
  return Buffer.from(hex.padStart(8, '0'), 'hex').readUInt32LE();
}

/** 10.0.2.1 as a number of 32 bits. */
export function addressNumber(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Without a default route in either family pasta has to be told what to copy. */
export function isOffline(): boolean {
  return !hostRoutes().some((route) => route.mask === 0) && !hasIPv6Route();
}

/** Whether the host has a default route of IPv6. */
export function hasIPv6Route(): boolean {
  const routes = (readIfExists('/proc/net/ipv6_route') ?? '').split('\n');
  return routes.some((line) => /^0{32} 00 /.test(line) && !/ lo$/.test(line));
}

/**
 * An address under which the host's services are reached from a network of ours: that of the
 * interface with the default route. Those that listen on loopback only stay out of reach.
 * @returns undefined while the host has no address but loopback
 */
export function hostAddress(): string | undefined {
  const outward = hostRoutes().find((route) => route.mask === 0)?.interfaceName;
  const all = Object.entries(nodeOs().networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => ({ name, address })),
  );
  return (all.find(({ name }) => name === outward) ?? all[0])?.address;
}

/** The networks that the host has IPv4 routes to. */
export function hostSubnets(): string[] {
  return hostRoutes().flatMap(({ destination, mask }) => {
    const prefix = mask.toString(2).replaceAll('0', '').length;
    if (prefix === 0 || prefix > 30) return [];
    const bytes = [24, 16, 8, 0].map((shift) => (destination >>> shift) & 255);
    return [`${bytes.join('.')}/${prefix}`];
  });
}
