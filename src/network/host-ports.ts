import { createSocket } from 'node:dgram';
import * as net from 'node:net';
import { hasCode, TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import type { PortMapping } from './ports.ts';

/**
 * Gives every mapping a host port: free ones where none was asked for, and a check of the others, so
 * that a port that is taken or too low fails before anything is made.
 * @throws TsmanError naming the port and the remedy
 */
export async function assignHostPorts(ports: readonly PortMapping[]): Promise<PortMapping[]> {
  const assigned: PortMapping[] = [];
  for (const port of ports) {
    if (port.hostPort === 0) assigned.push({ ...port, hostPort: await findFree(port) });
    else {
      checkUnprivileged(port);
      for (let offset = 0; offset < port.range; offset++) await probe(port, port.hostPort + offset);
      assigned.push(port);
    }
  }
  return assigned;
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
    return port.protocol === 'tcp' ? await bindTcp(number, host) : await bindUdp(number, host);
  } catch (cause) {
    if (!hasCode(cause, 'EADDRINUSE'))
      throw new TsmanError(`publish port ${number}/${port.protocol}`, { cause });
    throw new TsmanError(
      `publish port ${number}/${port.protocol}: the port is in use on the host`,
      {
        cause,
        hint: `choose another, or find its holder with: ss -${port.protocol === 'tcp' ? 'tlnp' : 'ulnp'} sport = :${number}`,
      },
    );
  }
}

function bindTcp(port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      const bound = (server.address() as net.AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}

function bindUdp(port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host?.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind(port, host, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}
