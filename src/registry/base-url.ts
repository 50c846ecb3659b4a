import { RegistryError } from './error.ts';
import type { HttpResponse } from './http.ts';
import { isLoopback } from './proxy.ts';
import type { RegistryRequest } from './session.ts';
import type { Transport } from './transport.ts';

interface Place {
  readonly host: string;
  readonly transport: Transport;
  readonly signal: AbortSignal | undefined;
}

interface Found {
  readonly base: URL;
  /** The answer to the request that was used to find out. */
  readonly response?: HttpResponse;
}

/**
 * Finds out whether a registry speaks TLS. One that need not is asked with TLS first, then without,
 * for its answer without TLS may be a redirect. On loopback it is the other way round, with the very
 * request that is to be made: mostly there is no TLS, and a repeated pull is a single request. Neither
 * way anything is sent that tells who we are.
 */
export async function findBase(place: Place, request: RegistryRequest): Promise<Found> {
  const { host, transport } = place;
  const secure = new URL(`https://${host}/v2/`);
  if (!transport.options.isInsecure(secure.host)) return { base: secure };
  const plain = new URL(`http://${host}/v2/`);
  const isProbe = isLoopback(secure.hostname.replace(/^\[|\]$/g, '')) && canProbe(request);
  if (!isProbe) return { base: await withOrWithoutTls(place, secure, plain) };
  const response = await askPlainly(place, new URL(request.path, plain), request);
  if (response === 'silence') return { base: plain };
  if (response?.url.origin === plain.origin && response.status !== 400)
    return { base: plain, response };
  response?.discard();
  return { base: await withOrWithoutTls(place, secure, plain) };
}

function canProbe({ method, path }: RegistryRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && typeof path === 'string';
}

/** The answer; undefined where TLS may bring one. @throws RegistryError for what TLS would not cure */
async function askPlainly(
  { transport, signal }: Place,
  url: URL,
  request: RegistryRequest,
): Promise<HttpResponse | 'silence' | undefined> {
  try {
    return await transport.send({ ...request, url, signal, isProbe: true });
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    if (error.code === 'ETIMEDOUT') return 'silence';
    // Nobody listens: asking with TLS would only blur the message.
    const isFinal = ['ECONNREFUSED', 'EAI_AGAIN', 'ENOTFOUND'].includes(error.code ?? '');
    if (error.status !== undefined || isFinal) throw error;
    return undefined;
  }
}

/** A certificate that does not check out is an error; only a peer without TLS is a reason to go without. */
async function withOrWithoutTls(
  { transport, signal }: Place,
  secure: URL,
  plain: URL,
): Promise<URL> {
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
