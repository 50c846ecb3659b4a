import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { HttpRequest, Route } from './http.ts';
import { proxyAuthorization } from './proxy.ts';

/** Makes the request, not yet sent: straight, by a proxy for plain http, or through its tunnel. */
export function openRequest(
  request: HttpRequest,
  { agent, tls: material, proxy }: Route,
  tunnel: net.Socket | undefined,
): http.ClientRequest {
  const { url, method, headers = {} } = request;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const secure = {
    ca: material.ca?.slice(),
    cert: material.cert,
    key: material.key,
    rejectUnauthorized: material.verify,
  };
  const common = {
    method,
    headers,
    path: `${url.pathname}${url.search}`,
    host: hostname,
    port: url.port || undefined,
  };
  if (tunnel !== undefined && url.protocol === 'http:')
    return http.request({ ...common, createConnection: () => tunnel.resume() });
  if (tunnel !== undefined) {
    const servername = net.isIP(hostname) === 0 ? hostname : '';
    const createConnection = () =>
      tls.connect({ ...secure, socket: tunnel, host: hostname, servername });
    return https.request({ ...common, createConnection });
  }
  if (proxy !== undefined) {
    const authorization = proxyAuthorization(proxy);
    return http.request({
      ...common,
      host: proxy.hostname,
      port: proxy.port || 80,
      path: `${url.origin}${url.pathname}${url.search}`,
      headers: {
        ...headers,
        host: url.host,
        ...(authorization && { 'proxy-authorization': authorization }),
      },
    });
  }
  return url.protocol === 'https:'
    ? https.request({ ...common, ...secure, agent })
    : http.request({ ...common, agent });
}
