import { createSocket } from 'node:dgram';
import * as net from 'node:net';
import { hasCode, TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { portHolder } from './port-holder.ts';
import type { PortMapping } from './ports.ts';

/**
 * Gives every mapping a host port: free ones where none was asked for, and a check of the others, so
 * that a port that is taken or too low fails before anything is made.
 * @throws TsmanError naming the port and the remedy
 */
export async function assignHostPorts(ports: readonly PortMapping[]): Promise<PortMapping[]> {
  const assigned: PortMapping[] = [];
  for (const port of ports) {
    const next = await assign(port, assigned);
    assigned.push(next);
  }
  return assigned;
}

async function assign(port: PortMapping, before: readonly PortMapping[]): Promise<PortMapping> {
  const { hostChoices, ...mapping } = port;
  if (port.hostPort === 0) return { ...mapping, hostPort: await findFree(port) };
  checkUnprivileged(port);
  if (hostChoices !== undefined)
    return { ...mapping, hostPort: await firstFree(port, hostChoices, before) };
  for (let offset = 0; offset < port.range; offset++) {
    if (isAsked(before, port, port.hostPort + offset))
      throw new TsmanError(
        `publish port ${port.hostPort + offset}/${port.protocol}: asked for twice`,
      );
    await probe(port, port.hostPort + offset);
  }
  return mapping;
}

/** Whether an earlier mapping of the same container has the port, on an address that includes this one's. */
function isAsked(before: readonly PortMapping[], port: PortMapping, number: number): boolean {
  return before.some(
    (other) =>
      other.protocol === port.protocol &&
      number >= other.hostPort &&
      number < other.hostPort + other.range &&
      overlap(other.hostIP, port.hostIP),
  );
}

function overlap(one: string, other: string): boolean {
  if (one === other || one === '' || other === '') return true;
  const isSameFamily = one.includes(':') === other.includes(':');
  return isSameFamily && [one, other].some((ip) => ip === '0.0.0.0' || ip === '::');
}

async function firstFree(
  port: PortMapping,
  choices: number,
  before: readonly PortMapping[],
): Promise<number> {
  for (let number = port.hostPort; number < port.hostPort + choices; number++) {
    if (isAsked(before, port, number)) continue;
    try {
      return await probe(port, number);
    } catch (error) {
      if (!hasCode((error as Error).cause, 'EADDRINUSE')) throw error;
    }
  }
  const last = port.hostPort + choices - 1;
  throw new TsmanError(
    `publish port ${port.containerPort}: ${port.hostPort}-${last} are all in use`,
  );
}

function checkUnprivileged(port: PortMapping): void {
  const lowest = Number(readIfExists('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 1024);
  if (port.hostPort >= lowest || process.geteuid?.() === 0) return;
  throw new TsmanError(`publish port ${port.hostPort}: ports below ${lowest} need privilege`, {
    hint: `publish ${port.hostPort + 8000} instead, or: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port.hostPort}`,
  });
}

async function findFree(port: PortMapping): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = await probe(port, 0);
    try {
      for (let offset = 1; offset < port.range; offset++) await probe(port, first + offset);
      return first;
    } catch {
      // One of the following ports is taken: look elsewhere.
    }
  }
  throw new TsmanError(
    `publish port ${port.containerPort}: no ${port.range} free host ports in a row`,
  );
}

/** Binds for a moment; returns the port that was bound. @throws TsmanError when it is in use */
async function probe(port: PortMapping, number: number): Promise<number> {
  const host = port.hostIP === '' ? undefined : port.hostIP;
  try {
    return port.protocol === 'udp'
      ? await bindUdp(number, host)
      : host === undefined
        ? await bindTcpAnywhere(number)
        : await bindTcp(number, host);
  } catch (cause) {
    if (hasCode(cause, 'EADDRNOTAVAIL'))
      throw new TsmanError(
        `publish port ${number}/${port.protocol}: the host has no address ${port.hostIP}`,
        { cause, hint: 'ip address shows those it has; without an address all of them are used' },
      );
    if (!hasCode(cause, 'EADDRINUSE'))
      throw new TsmanError(`publish port ${number}/${port.protocol}`, { cause });
    const holder = portHolder(number, port.protocol);
    throw new TsmanError(
      `publish port ${number}/${port.protocol}: the port is in use on the host${holder === undefined ? '' : ` by ${holder}`}`,
      {
        cause,
        hint:
          holder === undefined
            ? `choose another, or find its holder with: sudo ss -${port.protocol === 'tcp' ? 'tlnp' : 'ulnp'} sport = :${number}`
            : 'choose another, or end that process',
      },
    );
  }
}

/** On both families, or on IPv4 where the host has no other. */
async function bindTcpAnywhere(port: number): Promise<number> {
  try {
    return await bindTcp(port, undefined);
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE') || hasCode(error, 'EACCES')) throw error;
    return await bindTcp(port, '0.0.0.0');
  }
}

function bindTcp(port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    const where = host === undefined ? {} : { host, ipv6Only: host.includes(':') };
    server.listen({ port, ...where }, () => {
      const bound = (server.address() as net.AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}

function bindUdp(port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const isIPv6 = host?.includes(':') === true;
    const socket = createSocket({ type: isIPv6 ? 'udp6' : 'udp4', ipv6Only: isIPv6 });
    socket.once('error', reject);
    socket.bind(port, host, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}
