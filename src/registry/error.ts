import { TsmanError } from '../base/error.ts';

export interface RegistryFailure {
  /** HTTP status, when the registry answered at all. */
  status?: number | undefined;
  /** The distribution-spec's error code (`MANIFEST_UNKNOWN`) or the system's (`ECONNREFUSED`). */
  code?: string | undefined;
  cause?: unknown;
  hint?: string | undefined;
}

/** Whatever goes wrong between us and a registry; worded here and nowhere else. */
export class RegistryError extends TsmanError {
  readonly status: number | undefined;
  readonly code: string | undefined;

  constructor(message: string, failure: RegistryFailure = {}) {
    super(message, { cause: failure.cause, hint: failure.hint });
    this.status = failure.status;
    this.code = failure.code;
  }
}

/** True when the registry answered with this status. */
export function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return (
    error instanceof RegistryError && error.status !== undefined && statuses.includes(error.status)
  );
}

/** A URL fit for messages: without user, password and query, which carry signatures and tokens. */
export function redactUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'bad request',
  401: 'authentication required',
  403: 'access denied',
  404: 'not found',
  405: 'not supported by the registry',
  413: 'too large for the registry',
  416: 'range not satisfiable',
  429: 'too many requests',
  500: 'the registry failed',
  502: 'bad gateway',
  503: 'the registry is unavailable',
  504: 'gateway timeout',
};

const HINTS: Readonly<Record<number, string>> = {
  401: 'log in with: tsman login REGISTRY',
  403: 'check the name, and that the account you logged in with may use it',
  429: 'wait and try again, or log in: many registries allow more to known users',
};

/**
 * The error for an answer other than the wanted one.
 * @param body the beginning of the answer's body; capped here as well
 */
export function responseError(
  method: string,
  url: URL,
  status: number,
  body: string,
): RegistryError {
  const { code, message } = parseErrorBody(body);
  const reason = [REASONS[status] ?? 'unexpected answer', code, message].filter(
    (part) => part !== undefined && part !== '',
  );
  return new RegistryError(`${method} ${redactUrl(url)}: ${status} ${reason.join(': ')}`, {
    status,
    code,
    hint: HINTS[status],
  });
}

/** distribution-spec, "Error Codes"; anything else is quoted when it is short and plain. */
function parseErrorBody(body: string): { code?: string; message?: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    const list = (parsed as { errors?: unknown }).errors;
    const first = Array.isArray(list) ? (list[0] as { code?: unknown; message?: unknown }) : {};
    return {
      ...(typeof first?.code === 'string' && { code: printable(first.code).slice(0, 60) }),
      ...(typeof first?.message === 'string' && {
        message: printable(first.message).slice(0, 300),
      }),
    };
  } catch {
    // Not JSON: a proxy's or a load balancer's page.
    const isPlain = body.length < 200 && !body.includes('<');
    return isPlain ? { message: printable(body).trim() } : {};
  }
}

/** One line, and nothing that the terminal would obey. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

const TLS_UNKNOWN_CA = {
  why: 'is signed by an unknown authority',
  hint: 'put the CA certificate into ~/.config/containers/certs.d/HOST:PORT/ca.crt, or use --tls-verify=false',
};

const TLS_FAILURES: Readonly<Record<string, { why: string; hint: string }>> = {
  CERT_HAS_EXPIRED: {
    why: 'has expired',
    hint: "renew it, and check this machine's clock; --tls-verify=false skips the check",
  },
  CERT_NOT_YET_VALID: { why: 'is not valid yet', hint: "check this machine's clock" },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    why: 'is for another name',
    hint: 'use the name in the certificate; --tls-verify=false skips the check',
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TLS_UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: TLS_UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TLS_UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: TLS_UNKNOWN_CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: TLS_UNKNOWN_CA,
};

/** True when the peer showed a certificate that we do not accept. */
export function isCertificateError(error: unknown): boolean {
  return error instanceof RegistryError && error.code !== undefined && error.code in TLS_FAILURES;
}

/** The error for an exchange that brought no answer, or broke off. */
export function networkError(method: string, url: URL, cause: unknown): RegistryError {
  if (cause instanceof RegistryError) return cause;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const where = `${method} ${redactUrl(url)}`;
  const tls = code === undefined ? undefined : TLS_FAILURES[code];
  if (tls !== undefined) {
    const hint = tls.hint.replace('HOST:PORT', url.host);
    return new RegistryError(`${where}: the TLS certificate of ${url.host} ${tls.why} (${code})`, {
      code,
      hint,
    });
  }
  if (code?.includes('WRONG_VERSION_NUMBER') || code?.startsWith('ERR_SSL')) {
    return new RegistryError(`${where}: ${url.host} does not speak TLS (${code})`, {
      code,
      hint: 'for a registry without TLS use --tls-verify=false, or insecure = true in registries.conf',
    });
  }
  return new RegistryError(`${where}: ${networkReason(url, code, cause)}`, { code });
}

function networkReason(url: URL, code: string | undefined, cause: unknown): string {
  if (code === 'ENOTFOUND') return `no such host: ${url.hostname} (ENOTFOUND)`;
  if (code === 'EAI_AGAIN')
    return `cannot look up ${url.hostname}: the name server does not answer (EAI_AGAIN)`;
  if (code === 'ECONNREFUSED') return `connection to ${url.host} refused (ECONNREFUSED)`;
  if (code === 'ECONNRESET')
    return `connection to ${url.host} closed by the other side (ECONNRESET)`;
  return cause instanceof Error ? cause.message : String(cause);
}
