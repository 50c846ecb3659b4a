import { RegistryError, redactUrl } from './error.ts';

export interface BodyLimits {
  /** No byte for this long: given up. */
  readonly idleMs: number;
  /** Fewer than `minimumBytes` in this long, while we were waiting: given up (slow-loris). */
  readonly windowMs: number;
  readonly minimumBytes: number;
}

/**
 * Passes a body on and gives up on one that trickles. Only the time spent waiting for the other
 * side counts: a reader that is busy unpacking must not be punished for it.
 */
export async function* withTimeouts(
  source: AsyncIterable<Uint8Array>,
  url: URL,
  limits: BodyLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let waitedMs = 0;
  let received = 0;
  try {
    for (;;) {
      const start = performance.now();
      const { done, value } = await within(limits.idleMs, iterator.next(), url);
      if (done === true) return;
      waitedMs += performance.now() - start;
      received += value.length;
      if (waitedMs > limits.windowMs) {
        if (received < limits.minimumBytes) throw tooSlow(url, waitedMs, received);
        waitedMs = 0;
        received = 0;
      }
      yield value;
    }
  } finally {
    // Not awaited: an iterator stuck in next() would never answer. It ends with its socket.
    iterator.return?.().catch(() => undefined);
  }
}

function tooSlow(url: URL, ms: number, bytes: number): RegistryError {
  const seconds = Math.round(ms / 1000);
  return new RegistryError(`GET ${redactUrl(url)}: too slow: ${bytes} bytes in ${seconds} s`, {
    code: 'ETIMEDOUT',
  });
}

async function within<T>(ms: number, work: Promise<T>, url: URL): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `GET ${redactUrl(url)}: no data for ${ms / 1000} s`;
      reject(new RegistryError(message, { code: 'ETIMEDOUT' }));
    }, ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Reads a small body whole; refuses one that is larger than `limitBytes`. */
export async function readLimited(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
  what: string,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limitBytes) {
      throw new RegistryError(`${what}: the answer is larger than ${limitBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The first bytes of an error's body; whatever goes wrong on the way, the error itself matters more. */
export async function readBeginning(
  body: AsyncIterable<Uint8Array>,
  bytes = 4096,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= bytes) break;
    }
  } catch {
    // A body that breaks off: what came is enough.
  }
  return Buffer.concat(chunks, size).toString('utf8', 0, bytes);
}
