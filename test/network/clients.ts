import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as assert from 'uvu/assert';
import { until } from '../support/until.ts';

/** Where nothing drops packets a connection takes no time. */
const CONNECT_MS = 10_000;

/** How a connection ended. */
export interface Ending {
  readonly received: string;
  /** `ECONNRESET` and the like; `end` when the other side ended it in good order. */
  readonly how: string;
}

/** A client of the host; resolves when it is connected. */
export function open(port: number, host = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, timeout: CONNECT_MS }, () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('timeout', () => socket.destroy(new Error('no connection')));
    socket.once('error', reject);
  });
}

/** Reads until the end. @throws when nothing ends within the time */
export function ending(socket: Socket, timeoutMs = 60_000): Promise<Ending> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk as Buffer)).resume();
  return new Promise((resolve, reject) => {
    const done = (how: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ received: Buffer.concat(chunks).toString(), how });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end of the connection after ${Buffer.concat(chunks).length} bytes`));
    }, timeoutMs);
    socket.removeAllListeners('error');
    socket.once('end', () => done('end'));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}

/** Sends a line, or nothing, and reads until the end. */
export async function exchange(port: number, line = 'x\n', host = '127.0.0.1'): Promise<Ending> {
  try {
    const socket = await open(port, host);
    if (line !== '') socket.write(line);
    return await ending(socket);
  } catch (error) {
    return { received: '', how: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** The next line that the other side says. */
export function nextLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk) => resolve(chunk.toString().trim().replace('::ffff:', '')));
    socket.once('error', reject);
    socket.once('end', () => reject(new Error('the connection has ended')));
  });
}

/** What a server says first; the connection ends. */
export async function greeting(port: number, host?: string): Promise<string> {
  const socket = await open(port, host);
  return nextLine(socket).finally(() => socket.destroy());
}

/** What a server answers to a line; the connection ends. */
export async function answer(port: number, host?: string): Promise<string> {
  const socket = await open(port, host);
  socket.write('x\n');
  return nextLine(socket).finally(() => socket.destroy());
}

/** What a server answers to a datagram, which is sent again until it does: one may be lost. */
export async function answerDatagram(port: number): Promise<string> {
  const socket = createSocket('udp4');
  const send = (): void => socket.send('x', port, '127.0.0.1');
  const again = setInterval(send, 1000);
  try {
    send();
    const [bytes] = await once(socket, 'message', { signal: AbortSignal.timeout(CONNECT_MS) });
    return String(bytes).replace('::ffff:', '');
  } finally {
    clearInterval(again);
    socket.close();
  }
}

/** Asks until the answer is the expected one; a server needs a moment to listen. */
export async function eventually(expected: string, ask: () => Promise<string>): Promise<void> {
  let answer = '';
  await until('the answer is right', async () => {
    answer = await ask().catch((error: Error) => error.message);
    return answer === expected;
  }).catch(() => assert.is(answer, expected));
}
