import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBeginning } from './body.ts';
import { RegistryError, redactUrl, responseError } from './error.ts';
import {
  exchange,
  type HttpRequest,
  type HttpResponse,
  type Timeouts,
  type TlsMaterial,
} from './http.ts';

export interface TransportOptions {
  /** Certificates for `host[:port]`, and whether they are checked. */
  tlsFor(host: string): TlsMaterial;
  /** The proxy for a URL, or undefined. */
  proxyFor(url: URL): URL | undefined;
  /** Whether plain http to this host is allowed: loopback, or the user said so. */
  isInsecure(host: string): boolean;
  readonly timeouts: Timeouts;
  readonly userAgent: string;
  /** Further attempts after the first. */
  readonly retries: number;
  /** Before the second attempt; doubled from then on. */
  readonly retryDelayMs: number;
  readonly onRetry?: ((why: Error, delayMs: number) => void) | undefined;
}

export interface SendRequest extends HttpRequest {
  /** False for requests that must not be sent twice; the body must then be a buffer or nothing. */
  readonly canRepeat?: boolean;
  /** Asks whether anybody speaks HTTP there: a broken connection is the answer, and not repeated. */
  readonly isProbe?: boolean;
}

/** Sends requests over kept connections: follows redirects, repeats what may be repeated. */
export interface Transport {
  readonly options: TransportOptions;
  /** Any status but 429 and 5xx comes back as an answer. */
  send(request: SendRequest): Promise<HttpResponse>;
  /** Closes idle connections, so that the process can end. */
  close(): void;
}

const MAX_REDIRECTS = 8;
const MAX_DELAY_MS = 60_000;
const PASSING_CODES = ['ECONNRESET', 'EPIPE', 'EAI_AGAIN', 'ETIMEDOUT', 'ENETUNREACH'];
const PASSING_STATUS = [408, 429, 500, 502, 503, 504];

export function createTransport(options: TransportOptions): Transport {
  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });
  const once = (request: HttpRequest): Promise<HttpResponse> => {
    const { url } = request;
    return exchange(
      { ...request, headers: { 'user-agent': options.userAgent, ...request.headers } },
      {
        agent: url.protocol === 'https:' ? https : http,
        tls: options.tlsFor(url.host),
        proxy: options.proxyFor(url),
        timeouts: options.timeouts,
      },
    );
  };
  return {
    options,
    send: (request) =>
      sendWithRetries(request, options, (each) => followRedirects(each, options, once)),
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

type Send = (request: HttpRequest) => Promise<HttpResponse>;

async function sendWithRetries(
  request: SendRequest,
  options: TransportOptions,
  send: Send,
): Promise<HttpResponse> {
  for (let attempt = 0; ; attempt++) {
    const isLast = attempt >= options.retries || request.canRepeat === false;
    const outcome = await attemptOnce(request, send);
    if (!(outcome instanceof Retry)) return outcome;
    const delayMs = outcome.afterMs ?? Math.min(options.retryDelayMs * 2 ** attempt, MAX_DELAY_MS);
    const isAnswer = request.isProbe === true && outcome.error.status === undefined;
    if (isLast || isAnswer || delayMs > MAX_DELAY_MS) throw outcome.error;
    options.onRetry?.(outcome.error, delayMs);
    await sleep(delayMs, undefined, { signal: request.signal });
  }
}

/** A failure that may pass. */
class Retry {
  readonly error: RegistryError;
  readonly afterMs: number | undefined;

  constructor(error: RegistryError, afterMs?: number) {
    this.error = error;
    this.afterMs = afterMs;
  }
}

async function attemptOnce(request: HttpRequest, send: Send): Promise<HttpResponse | Retry> {
  let response: HttpResponse;
  try {
    response = await send(request);
  } catch (error) {
    if (mayPass(error)) return new Retry(error);
    throw error;
  }
  if (!PASSING_STATUS.includes(response.status)) return response;
  const body = await readBeginning(response.body);
  const error = responseError(request.method, response.url, response.status, body);
  return new Retry(error, retryAfterMs(response.headers['retry-after']));
}

/** True for a failure that another attempt may not meet. */
export function mayPass(error: unknown): error is RegistryError {
  return error instanceof RegistryError && PASSING_CODES.includes(error.code ?? '');
}

/** RFC 9110, Retry-After: seconds or a date. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/**
 * Follows redirects, which registries use to hand blobs over to storage services. Those are other
 * parties: what is meant for the registry (Authorization) is not sent to another origin.
 */
async function followRedirects(
  request: HttpRequest,
  options: TransportOptions,
  send: Send,
): Promise<HttpResponse> {
  let current = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await send(current);
    const location = response.headers.location;
    if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined)
      return response;
    if (request.body !== undefined && !(request.body instanceof Uint8Array)) return response;
    response.discard();
    current = redirected(current, location, options);
  }
  throw new RegistryError(
    `${request.method} ${redactUrl(request.url)}: more than ${MAX_REDIRECTS} redirects`,
  );
}

function redirected(
  request: HttpRequest,
  location: string,
  options: TransportOptions,
): HttpRequest {
  const from = `${request.method} ${redactUrl(request.url)}`;
  const url = URL.parse(location, request.url.href);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new RegistryError(`${from}: redirected to something that is no web address`);
  }
  if (
    url.protocol === 'http:' &&
    request.url.protocol === 'https:' &&
    !options.isInsecure(url.host)
  ) {
    throw new RegistryError(`${from}: redirected from https to plain http at ${url.host}`);
  }
  const headers = { ...request.headers };
  if (url.origin !== request.url.origin) delete headers['authorization'];
  return { ...request, url, headers };
}
