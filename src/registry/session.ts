import { type Authorizer, type Credentials, createAuthorizer } from './auth.ts';
import { readBeginning } from './body.ts';
import { RegistryError, responseError } from './error.ts';
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
      base ??= findBase(host, transport, options.signal);
      const url =
        typeof request.path === 'string' ? new URL(request.path, await base) : request.path;
      const isOurs = url.origin === (await base).origin;
      return send({ ...request, url, signal: options.signal, isOurs }, transport, authorizer);
    },
    close: () => transport.close(),
  };
}

type Prepared = RegistryRequest & {
  url: URL;
  signal: AbortSignal | undefined;
  /** False for an upload address at another host: it gets the blob, not the authorization. */
  isOurs: boolean;
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
  let response = await attempt(known);
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

/**
 * Finds out whether an insecure registry speaks TLS: https first, then http. A certificate that
 * does not check out is an error all the same; only a peer without TLS is a reason to go without.
 */
async function findBase(
  host: string,
  transport: Transport,
  signal: AbortSignal | undefined,
): Promise<URL> {
  const secure = new URL(`https://${host}/v2/`);
  const plain = new URL(`http://${host}/v2/`);
  if (!transport.options.isInsecure(secure.host)) return secure;
  try {
    (await transport.send({ method: 'GET', url: secure, signal, canRepeat: false })).discard();
    return secure;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    if (error.status !== undefined) return secure;
    if (!isWithoutTls(error)) throw error;
    // Nobody listens: asking again without TLS would only blur the message.
    return plain;
  }
}

function isWithoutTls({ code = '' }: RegistryError): boolean {
  return code.startsWith('ERR_SSL') || ['ECONNRESET', 'EPROTO', 'ECONNREFUSED'].includes(code);
}
