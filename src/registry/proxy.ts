import * as net from 'node:net';
import * as tls from 'node:tls';
import { RegistryError } from './error.ts';

const SCHEMES = ['http:', 'https:', 'socks5:', 'socks5h:'];

/**
 * The proxy for a URL by the usual environment variables (lower case wins, as in curl and Go), or
 * undefined. Loopback is never proxied.
 */
export function proxyFromEnvironment(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  if (isLoopback(hostname)) return undefined;
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const value = env[name] ?? env[name.toUpperCase()] ?? '';
  if (value === '' || isExcluded(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined;
  const proxy = URL.parse(value.includes('://') ? value : `http://${value}`);
  if (proxy === null || !SCHEMES.includes(proxy.protocol)) {
    throw new RegistryError(`${name.toUpperCase()}: not a proxy's URL`, {
      hint: 'want http://[user:password@]host:port; or https://, socks5://',
    });
  }
  return proxy;
}

/** `localhost`, 127.0.0.0/8 and ::1, without brackets. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** NO_PROXY: `*`, `example.com` (and below), `.example.com`, `host:port`, addresses, IPv4/IPv6 ranges. */
function isExcluded(url: URL, list: string): boolean {
  const hostname = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list.split(',').some((entry) => {
    const pattern = entry.trim().toLowerCase();
    if (pattern === '') return false;
    if (pattern === '*') return true;
    if (pattern.includes('/')) return inRange(hostname, pattern);
    const withPort = /^(.*):(\d+)$/.exec(pattern);
    if (withPort !== null && !withPort[1]?.includes(':') && withPort[2] !== port) return false;
    const host = (withPort?.[1]?.includes(':') ? pattern : (withPort?.[1] ?? pattern)).replace(
      /^\*?\./,
      '',
    );
    return hostname === host || hostname.endsWith(`.${host}`);
  });
}

function inRange(address: string, range: string): boolean {
  const family = net.isIP(address);
  const [base = '', prefix] = range.split('/');
  if (family === 0 || net.isIP(base) !== family) return false;
  const block = new net.BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  block.addSubnet(base, Number(prefix), kind);
  return block.check(address, kind);
}

/** The Proxy-Authorization header for a proxy's URL with user and password, or undefined. */
export function proxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === '') return undefined;
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** True for a proxy that passes every connection on as it is. */
export function isSocks(proxy: URL): boolean {
  return proxy.protocol.startsWith('socks5');
}

/** Opens a connection through the proxy to `target` (RFC 9110, CONNECT). */
export async function openTunnel(
  proxy: URL,
  target: URL,
  signal: AbortSignal,
): Promise<net.Socket> {
  const secure = proxy.protocol === 'https:';
  const where = { host: proxy.hostname, port: Number(proxy.port) || (secure ? 443 : 80) };
  const socket = secure
    ? tls.connect({ ...where, servername: proxy.hostname })
    : net.connect(where);
  const host = `${target.hostname}:${target.port || '443'}`;
  const authorization = proxyAuthorization(proxy);
  const lines = [`CONNECT ${host} HTTP/1.1`, `Host: ${host}`];
  if (authorization !== undefined) lines.push(`Proxy-Authorization: ${authorization}`);
  const abort = () => socket.destroy(new Error('timed out'));
  signal.addEventListener('abort', abort);
  try {
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await readConnectAnswer(socket, host);
    return socket;
  } catch (cause) {
    socket.destroy();
    if (cause instanceof RegistryError) throw cause;
    throw new RegistryError(
      `proxy ${proxy.host}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function readConnectAnswer(socket: net.Socket, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let head = '';
    const finish = (error?: Error) => {
      socket.off('data', onData).off('error', finish).off('close', onClose);
      socket.pause();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onClose = () => finish(new Error('closed the connection'));
    const onData = (chunk: Buffer) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n') && head.length < 16_384) return;
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
      finish(
        status === '200'
          ? undefined
          : new Error(`refused a tunnel to ${host} (${status ?? 'no HTTP'})`),
      );
    };
    socket.on('data', onData).on('error', finish).on('close', onClose);
  });
}
