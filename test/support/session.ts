import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Credentials } from '../../src/registry/auth.ts';
import { DEFAULT_TIMEOUTS, type Timeouts } from '../../src/registry/http.ts';
import { openRegistry, type RegistrySession } from '../../src/registry/session.ts';

export interface SessionOptions {
  readonly credentials?: Credentials;
  readonly ca?: string;
  readonly verify?: boolean;
  /** False: as a registry on the network, where plain http is not allowed. */
  readonly isInsecure?: boolean;
  readonly timeouts?: Partial<Timeouts>;
  readonly retries?: number;
  readonly retryDelayMs?: number;
  readonly signal?: AbortSignal;
  readonly proxy?: URL;
  readonly onRetry?: (why: Error, delayMs: number) => void;
}

/** Runs `body` with a session to a registry; short delays, so that tests are quick. */
export async function withSession<T>(
  registry: string,
  options: SessionOptions,
  body: (session: RegistrySession) => Promise<T>,
): Promise<T> {
  const session = openRegistry({
    registry,
    tlsFor: () => ({
      ca: options.ca === undefined ? undefined : [options.ca],
      verify: options.verify ?? true,
    }),
    isInsecure: () => options.isInsecure ?? true,
    proxyFor: () => options.proxy,
    findCredentials: async () => options.credentials,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    userAgent: 'tsman/test',
    retries: options.retries ?? 2,
    retryDelayMs: options.retryDelayMs ?? 10,
    onRetry: options.onRetry,
    signal: options.signal,
  });
  try {
    return await body(session);
  } finally {
    session.close();
  }
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A registry that does what the script says; `seen` has every request's method, URL and Authorization. */
export interface ScriptedRegistry {
  readonly address: string;
  readonly seen: {
    readonly method: string;
    readonly url: string;
    readonly authorization: string | undefined;
  }[];
}

/** Runs `body` against a scripted http server on loopback, with all its connections cut afterwards. */
export async function withScripted(
  handler: Handler,
  body: (registry: ScriptedRegistry) => Promise<void>,
): Promise<void> {
  const seen: ScriptedRegistry['seen'] = [];
  const server: Server = createServer((request, response) => {
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      authorization: request.headers.authorization,
    });
    handler(request, response);
  });
  // The client tries TLS first; its hello is no HTTP.
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await body({ address: `127.0.0.1:${port}`, seen });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The error a promise ends with; fails when it does not. */
export async function failureOf(
  promise: Promise<unknown>,
): Promise<Error & { hint?: string | undefined }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`not an Error: ${error}`);
  }
  throw new Error('nothing failed');
}
