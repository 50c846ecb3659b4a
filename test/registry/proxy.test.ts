import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ping } from '../../src/registry/listing.ts';
import { proxyFromEnvironment } from '../../src/registry/proxy.ts';
import { withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { failureOf, withScripted, withSession } from '../support/session.ts';

const test = suite('proxy by environment');

const proxy = (url: string, env: NodeJS.ProcessEnv): string | undefined =>
  proxyFromEnvironment(new URL(url), env)?.host;

test('takes the variable of the scheme, lower case first', () => {
  const env = { https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:2', HTTP_PROXY: 'c:3' };
  assert.is(proxy('https://example.com/', env), 'a:1');
  assert.is(proxy('http://example.com/', env), 'c:3');
});

test('leaves loopback and NO_PROXY alone', () => {
  const env = { HTTPS_PROXY: 'http://a:1', NO_PROXY: '.lan, example.com:8443,10.0.0.0/8,fd00::/8' };
  for (const url of [
    'https://localhost:5000',
    'https://127.0.0.9',
    'https://[::1]:1',
    'https://r.lan',
    'https://lan',
    'https://example.com:8443',
    'https://10.1.2.3',
    'https://[fd00::1]',
  ]) {
    assert.is(proxy(url, env), undefined, url);
  }
  for (const url of [
    'https://example.com',
    'https://notlan',
    'https://11.1.2.3',
    'https://[fe00::1]',
  ])
    assert.is(proxy(url, env), 'a:1', url);
  assert.is(proxy('https://example.com', { HTTPS_PROXY: 'http://a:1', NO_PROXY: '*' }), undefined);
});

test('refuses what is no proxy', () => {
  assert.throws(() => proxy('https://example.com', { HTTPS_PROXY: 'ftp://a:1' }), /HTTPS_PROXY/);
});

/** A SOCKS5 proxy that takes user `u` with password `p`, if `login`; `targets` gets what it connects to. */
async function withSocks(
  login: boolean,
  body: (proxy: URL, targets: string[]) => Promise<void>,
): Promise<void> {
  const targets: string[] = [];
  const serve = async (client: net.Socket): Promise<void> => {
    const next = async (): Promise<Buffer> => (await once(client, 'data'))[0] as Buffer;
    const hello = await next();
    client.write(Buffer.from([5, login ? (hello.includes(2, 2) ? 2 : 255) : 0]));
    if (login) {
      const words = await next();
      const isRight = words.equals(Buffer.from('\u0001\u0001u\u0001p'));
      client.write(Buffer.from([1, isRight ? 0 : 1]));
    }
    const request = await next();
    const isName = request[3] === 3;
    const host = isName ? request.subarray(5, -2).toString() : request.subarray(4, 8).join('.');
    const port = request.readUInt16BE(request.length - 2);
    targets.push(`${host}:${port}`);
    if (port === 1) client.write(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]));
    else {
      client.write(Buffer.from([5, 0, 0, 3, 1, 120, 0, 0]));
      const upstream = net.connect(port, '127.0.0.1');
      client.pipe(upstream).pipe(client);
      upstream.on('error', () => client.destroy());
    }
  };
  const clients = new Set<net.Socket>();
  const server = net.createServer((client) => {
    clients.add(client);
    client.on('error', () => undefined);
    serve(client).catch(() => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  try {
    await body(new URL(`socks5://${login ? 'u:p@' : ''}127.0.0.1:${port}`), targets);
  } finally {
    for (const client of clients) client.destroy();
    server.close();
  }
}

for (const login of [false, true]) {
  test(`goes through a SOCKS5 proxy ${login ? 'with' : 'without'} a login`, () =>
    withSocks(login, (proxy, targets) =>
      withScripted(
        (_, response) => response.end('{}'),
        async ({ address }) => {
          const port = address.split(':')[1];
          await withSession(`registry.test:${port}`, { proxy, retries: 0 }, ping);
          assert.is(targets.at(-1), `registry.test:${port}`);
          const closed = withSession('registry.test:1', { proxy, retries: 0 }, ping);
          assert.match((await failureOf(closed)).message, /registry.test:1: connection refused/);
          if (!login) return;
          const stranger = new URL(proxy);
          stranger.username = '';
          const refused = withSession('registry.test:2', { proxy: stranger, retries: 0 }, ping);
          assert.match((await failureOf(refused)).message, /wants another kind of login/);
        },
      ),
    ));
}

requires(test, 'docker-registry')('reaches a registry with TLS through a SOCKS5 proxy', () =>
  withSocks(false, (proxy, targets) =>
    withRegistry({ tls: true }, async ({ address, certDirectory }) => {
      const ca = readFileSync(join(certDirectory, 'ca.crt'), 'utf8');
      await withSession(address, { proxy, ca }, ping);
      assert.is(targets.at(-1), address);
    }),
  ),
);

/** A proxy that wants `u:p`, makes tunnels and fetches for plain http; `asked` gets what it is asked for. */
async function withHttpProxy(body: (proxy: URL, asked: string[]) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const isUs = (request: IncomingMessage) =>
    request.headers['proxy-authorization'] === `Basic ${Buffer.from('u:p').toString('base64')}`;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(isUs(request) ? 200 : 407).end('{}');
  });
  const sockets = new Set<net.Socket>();
  server.on('connect', (request: IncomingMessage, socket: net.Socket) => {
    sockets.add(socket);
    asked.push(`${request.method} ${request.url}`);
    if (!isUs(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host = '', port] = (request.url ?? '').split(':');
    const upstream = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    for (const end of [socket, upstream]) end.on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  try {
    await body(new URL(`http://u:p@127.0.0.1:${port}`), asked);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  }
}

requires(test, 'docker-registry')('reaches a registry through an http proxy and its tunnels', () =>
  withHttpProxy((proxy, asked) =>
    withRegistry({ tls: true }, async ({ address, certDirectory }) => {
      const ca = readFileSync(join(certDirectory, 'ca.crt'), 'utf8');
      await withSession(address, { proxy, ca, isInsecure: false }, ping);
      assert.is(asked.at(-1), `CONNECT ${address}`);
      await withSession('127.0.0.1:5', { proxy }, ping);
      assert.is(asked.at(-1), 'GET http://127.0.0.1:5/v2/');
      const stranger = new URL(proxy);
      stranger.username = '';
      const refused = withSession(address, { proxy: stranger, ca, isInsecure: false }, ping);
      assert.match((await failureOf(refused)).message, /refused a tunnel to .* \(407\)/);
    }),
  ),
);

test.run();
