import * as net from 'node:net';
import { RegistryError } from './error.ts';

/** RFC 1928, section 6. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'it took too long',
  7: 'command not supported',
  8: 'kind of address not supported',
};
const NO_LOGIN = 0;
const PASSWORD = 2;

/**
 * Opens a connection to `target` through a SOCKS5 proxy (RFC 1928; user and password: RFC 1929). The
 * proxy looks the name up, as with curl's socks5h and Go's socks5.
 */
export async function openSocks(proxy: URL, target: URL, signal: AbortSignal): Promise<net.Socket> {
  const socket = net.connect(Number(proxy.port) || 1080, proxy.hostname.replace(/^\[|\]$/g, ''));
  const abort = () => socket.destroy(new Error('timed out'));
  signal.addEventListener('abort', abort);
  try {
    const read = reader(socket);
    await authenticate(socket, read, proxy);
    const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
    socket.write(connectRequest(target.hostname.replace(/^\[|\]$/g, ''), port));
    const [, status = 1, , kind = 1] = await read(4);
    if (status !== 0)
      throw new Error(`no connection to ${target.host}: ${REFUSALS[status] ?? `answer ${status}`}`);
    // The address it connects from, which nobody needs: IPv4, a name, or IPv6; and a port.
    const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await read(1))[0] ?? 0);
    await read(length + 2);
    // Whoever reads on wants the bytes to flow.
    for (const event of ['readable', 'error', 'close']) socket.removeAllListeners(event);
    socket.on('error', () => undefined);
    return socket;
  } catch (cause) {
    socket.destroy();
    throw new RegistryError(
      `SOCKS proxy ${proxy.host}: ${cause instanceof Error ? cause.message : cause}`,
      { code: (cause as NodeJS.ErrnoException).code },
    );
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

type Read = (bytes: number) => Promise<Buffer>;

async function authenticate(socket: net.Socket, read: Read, proxy: URL): Promise<void> {
  const hasLogin = proxy.username !== '';
  socket.write(Buffer.from(hasLogin ? [5, 2, NO_LOGIN, PASSWORD] : [5, 1, NO_LOGIN]));
  const [version, method] = await read(2);
  if (version !== 5) throw new Error('it speaks no SOCKS5');
  if (method === NO_LOGIN) return;
  if (method !== PASSWORD || !hasLogin) throw new Error('it wants another kind of login');
  const [user, password] = [proxy.username, proxy.password].map((text) =>
    Buffer.from(decodeURIComponent(text)).subarray(0, 255),
  ) as [Buffer, Buffer];
  const words = [Buffer.from([1, user.length]), user, Buffer.from([password.length]), password];
  socket.write(Buffer.concat(words));
  if ((await read(2))[1] !== 0) throw new Error('it refused user and password');
}

function connectRequest(host: string, port: number): Buffer {
  const end = Buffer.from([port >> 8, port & 255]);
  if (net.isIPv4(host))
    return Buffer.concat([Buffer.from([5, 1, 0, 1, ...host.split('.').map(Number)]), end]);
  // An IPv6 address as text is a name that every proxy reads.
  const name = Buffer.from(host).subarray(0, 255);
  return Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, end]);
}

/** Reads exactly so many bytes, and never those after them: they belong to TLS or HTTP. */
function reader(socket: net.Socket): Read {
  let failure: Error | undefined;
  let wake = (): void => undefined;
  socket.on('readable', () => wake());
  socket.on('error', (error) => {
    failure = error;
    wake();
  });
  socket.on('close', () => {
    failure ??= new Error('closed the connection');
    wake();
  });
  return async (bytes) => {
    for (;;) {
      if (failure !== undefined) throw failure;
      const chunk: Buffer | null = bytes === 0 ? Buffer.alloc(0) : socket.read(bytes);
      if (chunk !== null) return chunk;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}
