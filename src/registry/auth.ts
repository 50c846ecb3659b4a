import { readBeginning, readLimited } from './body.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { RegistryError, redactUrl, responseError } from './error.ts';
import type { HttpResponse } from './http.ts';
import type { Transport } from './transport.ts';

/** What proves who we are to one registry. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** An OAuth2 refresh token in place of a password (auth.json's `identitytoken`). */
  readonly identityToken?: string | undefined;
}

export interface Authorizer {
  /** The Authorization header known to work for the scopes, without asking anybody. */
  known(scopes: readonly string[]): string | undefined;
  /**
   * Answers a 401: returns the header to try again with, or undefined when there is nothing
   * but what was `refused`.
   */
  answer(
    response: HttpResponse,
    scopes: readonly string[],
    refused?: string,
  ): Promise<string | undefined>;
}

export interface AuthorizerOptions {
  readonly transport: Transport;
  /** `host[:port]` the credentials are for: nobody else gets them. */
  readonly host: string;
  /** Looked up when the registry asks, not before: a helper program may have to be run. */
  findCredentials(): Promise<Credentials | undefined>;
  readonly signal?: AbortSignal | undefined;
}

const MAX_TOKEN_ANSWER = 1 << 20;

/** Keeps what one registry accepted: Basic for the registry, or a bearer token for each set of scopes. */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const accepted = new Map<string, string>();
  const asked = new Map<string, Promise<string>>();
  let credentials: Promise<Credentials | undefined> | undefined;
  const findCredentials = () => {
    credentials ??= options.findCredentials();
    return credentials;
  };
  const bearer = async (challenge: Challenge, scopes: readonly string[]): Promise<string> => {
    const token = await fetchToken(options, challenge, scopes, await findCredentials());
    return `Bearer ${token}`;
  };
  return {
    known: (scopes) => accepted.get(scopes.join(' ')) ?? accepted.get(ANY_SCOPE),
    async answer(response, scopes, refused) {
      // After a redirect somebody else asks, who must not learn anything (CVE-2020-15157).
      if (response.url.host !== options.host) return undefined;
      const key = scopes.join(' ');
      const newer = this.known(scopes);
      // Layers come in parallel: another request may have been answered meanwhile.
      if (newer !== undefined && newer !== refused) return newer;
      const challenges = parseChallenges(response.headers['www-authenticate'] ?? '');
      const challenge = challenges.find(({ scheme }) => scheme === 'bearer');
      if (challenge !== undefined) {
        const pending = asked.get(key) ?? bearer(challenge, scopes);
        asked.set(key, pending);
        const header = await pending.finally(() => asked.delete(key));
        accepted.set(key, header);
        return header;
      }
      const found = challenges.some(({ scheme }) => scheme === 'basic')
        ? await findCredentials()
        : undefined;
      const header = found === undefined ? undefined : basicHeader(found);
      // The same again would be refused again.
      if (header === undefined || header === refused) return undefined;
      accepted.set(ANY_SCOPE, header);
      return header;
    },
  };
}

/** Basic goes for everything at a registry. */
const ANY_SCOPE = '*';

function basicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** distribution-spec's token flow: docs.docker.com/registry/spec/auth/token, and /oauth. */
async function fetchToken(
  { transport, host, signal }: AuthorizerOptions,
  challenge: Challenge,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): Promise<string> {
  const realm = checkRealm(challenge.parameters['realm'] ?? '', host, transport);
  const wanted =
    scopes.length > 0 ? scopes : [challenge.parameters['scope'] ?? ''].filter((s) => s !== '');
  const service = challenge.parameters['service'];
  const refresh = credentials?.identityToken;
  const request =
    refresh === undefined
      ? tokenGet(realm, service, wanted, credentials)
      : tokenPost(realm, service, wanted, refresh);
  const response = await transport.send({ ...request, signal });
  if (response.status !== 200) {
    const body = await readBeginning(response.body);
    const error = responseError(request.method, response.url, response.status, body);
    throw new RegistryError(`log in to ${host}`, {
      cause: error,
      status: response.status,
      hint: error.hint,
    });
  }
  return readToken(
    await readLimited(response.body, MAX_TOKEN_ANSWER, `token from ${redactUrl(realm)}`),
    realm,
  );
}

/** The realm gets the registry's password, so it must be as safe as the registry itself. */
function checkRealm(text: string, host: string, transport: Transport): URL {
  const realm = URL.parse(text);
  if (realm === null || !['http:', 'https:'].includes(realm.protocol)) {
    throw new RegistryError(`log in to ${host}: the registry names no usable token server`);
  }
  if (realm.protocol === 'http:' && !transport.options.isInsecure(realm.host)) {
    throw new RegistryError(
      `log in to ${host}: the token server ${redactUrl(realm)} has no TLS; nothing was sent to it`,
    );
  }
  return realm;
}

function tokenGet(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credentials: Credentials | undefined,
) {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials === undefined) return { method: 'GET' as const, url };
  url.searchParams.set('account', credentials.username);
  return { method: 'GET' as const, url, headers: { authorization: basicHeader(credentials) } };
}

function tokenPost(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  refresh: string,
) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refresh,
    client_id: 'tsman',
    scope: scopes.join(' '),
    ...(service !== undefined && { service }),
  });
  return {
    method: 'POST' as const,
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

function readToken(body: Buffer, realm: URL): string {
  let answer: { token?: unknown; access_token?: unknown };
  try {
    answer = JSON.parse(body.toString());
  } catch (cause) {
    throw new RegistryError(`token from ${redactUrl(realm)}: not JSON`, { cause });
  }
  const token = answer.token ?? answer.access_token;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new RegistryError(`token from ${redactUrl(realm)}: the answer holds none`);
  }
  return token;
}
