import { type Authorizer, type Credentials, createAuthorizer } from './auth.ts';
import { findBase } from './base-url.ts';
import { readBeginning } from './body.ts';
import { responseError } from './error.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { createTransport, type Transport, type TransportOptions } from './transport.ts';

export interface RegistryOptions extends TransportOptions {
  /** `localhost:5000`, `docker.io`: as in a reference. */
  readonly registry: string;
  /** Asked when the registry wants to know who we are. */
  findCredentials(): Promise<Credentials | undefined>;
  readonly signal?: AbortSignal | undefined;
}

export interface RegistryRequest extends Omit<HttpRequest, 'url' | 'signal'> {
  /** Below `/v2/`, or a whole URL that an earlier answer of this registry gave. */
  readonly path: string | URL;
  readonly scopes: readonly string[];
  /** The answers the caller knows what to do with; any other becomes a RegistryError. */
  readonly expect: readonly number[];
  readonly canRepeat?: boolean;
}

/** A conversation with one registry: knows its address, scheme and what it takes for authorization. */
export interface RegistrySession {
  readonly registry: string;
  readonly signal: AbortSignal | undefined;
  readonly transport: Transport;
  request(request: RegistryRequest): Promise<HttpResponse>;
  close(): void;
}

export function openRegistry(options: RegistryOptions): RegistrySession {
  const host = options.registry === 'docker.io' ? 'registry-1.docker.io' : options.registry;
  const transport = createTransport(options);
  const authorizer = createAuthorizer({
    transport,
    host: new URL(`https://${host}`).host,
    findCredentials: () => options.findCredentials(),
    signal: options.signal,
  });
  let base: Promise<URL> | undefined;
  return {
    registry: options.registry,
    signal: options.signal,
    transport,
    async request(request) {
      let early: HttpResponse | undefined;
      if (base === undefined) {
        const found = findBase({ host, transport, signal: options.signal }, request);
        base = found.then((each) => each.base);
        // Who asked first hears of a failure below.
        base.catch(() => undefined);
        early = (await found).response;
      }
      const url =
        typeof request.path === 'string' ? new URL(request.path, await base) : request.path;
      const isOurs = url.origin === (await base).origin;
      const prepared = { ...request, url, signal: options.signal, isOurs, early };
      return send(prepared, transport, authorizer);
    },
    close: () => transport.close(),
  };
}

type Prepared = RegistryRequest & {
  url: URL;
  signal: AbortSignal | undefined;
  /** False for an upload address at another host: it gets the blob, not the authorization. */
  isOurs: boolean;
  /** What came while the registry's address was looked for. */
  early: HttpResponse | undefined;
};

async function send(
  request: Prepared,
  transport: Transport,
  authorizer: Authorizer,
): Promise<HttpResponse> {
  const attempt = (authorization: string | undefined) =>
    transport.send({
      ...request,
      headers: { ...request.headers, ...(authorization !== undefined && { authorization }) },
    });
  const known = request.isOurs ? authorizer.known(request.scopes) : undefined;
  let response = request.early ?? (await attempt(known));
  if (response.status === 401 && request.isOurs) {
    const authorization = await authorizer.answer(response, request.scopes, known);
    if (authorization !== undefined && canSendAgain(request)) {
      response.discard();
      response = await attempt(authorization);
    }
  }
  if (request.expect.includes(response.status)) return response;
  const body = request.method === 'HEAD' ? '' : await readBeginning(response.body);
  throw responseError(request.method, response.url, response.status, body);
}

/** A streamed body is gone once it was sent; uploads get their authorization with the POST before. */
function canSendAgain({ body }: Prepared): boolean {
  return body === undefined || body instanceof Uint8Array;
}
