import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';

/** How a connection ended. */
export interface Ending {
  readonly received: string;
  /** `ECONNRESET` and the like; `end` when the other side ended it in good order. */
  readonly how: string;
}

/** A client of the host; resolves when it is connected. */
export function open(port: number, host = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Reads until the end. @throws when nothing ends within the time */
export function ending(socket: Socket, timeoutMs = 10_000): Promise<Ending> {
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

/** Asks until the answer is the expected one; a server needs a moment to listen. */
export async function eventually(expected: string, ask: () => Promise<string>): Promise<void> {
  let answer = '';
  for (let attempt = 0; attempt < 60; attempt++) {
    answer = await ask().catch((error: Error) => error.message);
    if (answer === expected) return;
    await sleep(50);
  }
  assert.is(answer, expected);
}
