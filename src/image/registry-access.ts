import { VERSION } from '../base/version.ts';
import { readCertificates } from '../config/certificates.ts';
import type { Endpoint } from '../config/endpoints.ts';
import { findLogin } from '../config/logins.ts';
import type { Credentials } from '../registry/auth.ts';
import { DEFAULT_TIMEOUTS, type Timeouts, type TlsMaterial } from '../registry/http.ts';
import { isLoopback, proxyFromEnvironment } from '../registry/proxy.ts';
import { openRegistry, type RegistrySession } from '../registry/session.ts';

/** How to talk to registries: what the options common to pull, push, login and search say. */
export interface RegistryAccess {
  readonly authFile?: string | undefined;
  /** `--creds USER:PASSWORD`, already parsed; wins over every file. Mirrors do not get them. */
  readonly credentials?: Credentials | undefined;
  /** undefined: registries.conf decides. */
  readonly tlsVerify?: boolean | undefined;
  readonly certDir?: string | undefined;
  /** Further attempts after a failure that may pass. */
  readonly retry?: number | undefined;
  readonly retryDelayMs?: number | undefined;
  /** Blobs at a time. */
  readonly parallel?: number | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((why: Error, delayMs: number) => void) | undefined;
}

export const DEFAULT_PARALLEL = 3;
const DEFAULT_RETRIES = 3;
const DEFAULT_RETRY_DELAY_MS = 1000;

/** Opens a conversation with the registry of an endpoint; nothing is sent before the first request. */
export function openEndpoint(endpoint: Endpoint, access: RegistryAccess): RegistrySession {
  const { registry, repository } = endpoint;
  const given = endpoint.isNamed ? access.credentials : undefined;
  const materials = new Map<string, TlsMaterial>();
  const isOwn = (host: string) => hostname(host) === hostname(registry);
  const isUnverified = (host: string) =>
    isOwn(host) && (access.tlsVerify === false || endpoint.insecure);
  const tlsFor = (host: string): TlsMaterial => {
    let material = materials.get(host);
    if (material === undefined) {
      const certDir = isOwn(host) ? access.certDir : undefined;
      material = { ...readCertificates(host, certDir), verify: !isUnverified(host) };
      materials.set(host, material);
    }
    return material;
  };
  return openRegistry({
    registry,
    tlsFor,
    isInsecure: (host) =>
      access.tlsVerify !== true && (isUnverified(host) || isLoopback(hostname(host))),
    proxyFor: (url) => proxyFromEnvironment(url, process.env),
    findCredentials: async () =>
      given ?? findLogin({ registry, repository, authFile: access.authFile }),
    timeouts: { ...DEFAULT_TIMEOUTS, ...access.timeouts },
    userAgent: `tsman/${VERSION}`,
    retries: access.retry ?? DEFAULT_RETRIES,
    retryDelayMs: access.retryDelayMs ?? DEFAULT_RETRY_DELAY_MS,
    onRetry: access.onRetry,
    signal: access.signal,
  });
}

/** Without port and brackets. */
function hostname(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
