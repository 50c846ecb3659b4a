import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../src/oci/digest.ts';
import { fetchSmallBlob, readBlob } from '../../src/registry/blobs.ts';
import { listTags, ping } from '../../src/registry/listing.ts';
import { fetchManifest } from '../../src/registry/manifests.ts';
import { uploadBlob } from '../../src/registry/upload.ts';
import { failureOf, type Handler, withScripted, withSession } from '../support/session.ts';

const test = suite('a hostile registry');

const digestOf = (bytes: Uint8Array): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const CONTENT = Buffer.alloc(100_000, 'tsman');
const BLOB = { repository: 'x', digest: digestOf(CONTENT), size: CONTENT.length };
const fetchBlob = (address: string, options = {}) =>
  withSession(address, options, (session) => fetchSmallBlob(session, BLOB, 1 << 20));

test('cannot pass off other content under a digest', () =>
  withScripted(
    (_, response) => response.end('{}'),
    async ({ address }) => {
      const wanted = digestOf(Buffer.from('other'));
      const error = await failureOf(
        withSession(address, {}, (session) => fetchManifest(session, 'x', wanted)),
      );
      assert.match(error.message, /wrong content/);
      const blob = { repository: 'x', digest: wanted, size: 2 };
      assert.match(
        (await failureOf(withSession(address, {}, (session) => fetchSmallBlob(session, blob, 10))))
          .message,
        /wrong content/,
      );
    },
  ));

test('cannot send more or less than the descriptor says', async () => {
  await withScripted(
    (_, response) => response.end(CONTENT.subarray(1)),
    async ({ address }) => {
      assert.match((await failureOf(fetchBlob(address))).message, /wrong size/);
    },
  );
  const endless: Handler = (_, response) => {
    const more = () => {
      while (response.write(CONTENT));
      response.once('drain', more);
    };
    more();
  };
  await withScripted(endless, async ({ address }) => {
    assert.match((await failureOf(fetchBlob(address))).message, /wrong size: more than 100000/);
    const error = await failureOf(
      withSession(address, {}, (session) => fetchManifest(session, 'x', 'latest')),
    );
    assert.match(error.message, /larger than 4194304 bytes/);
  });
});

test('that cuts the connection is asked for the rest', () => {
  let cuts = 0;
  const ranges: (string | undefined)[] = [];
  return withScripted(
    (request, response) => {
      ranges.push(request.headers.range);
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': CONTENT.length - start,
        ...(start > 0 && {
          'content-range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}`,
        }),
      });
      if (cuts++ < 2) {
        response.write(CONTENT.subarray(start, start + 30_000));
        setTimeout(() => response.destroy(), 100);
      } else response.end(CONTENT.subarray(start));
    },
    async ({ address }) => {
      assert.equal(await fetchBlob(address), CONTENT);
      assert.equal(ranges, [undefined, 'bytes=30000-', 'bytes=60000-']);
    },
  );
});

test('without Range support starts again and nothing comes twice', () => {
  let requests = 0;
  return withScripted(
    (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      if (requests++ > 0) response.end(CONTENT);
      else {
        response.write(CONTENT.subarray(0, 50_000));
        setTimeout(() => response.destroy(), 100);
      }
    },
    async ({ address }) => assert.equal(await fetchBlob(address), CONTENT),
  );
});

test('that always cuts is given up', () =>
  withScripted(
    (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write('x');
      setTimeout(() => response.destroy(), 20);
    },
    async ({ address, seen }) => {
      assert.match((await failureOf(fetchBlob(address))).message, /ECONNRESET|aborted|broke off/);
      assert.is(seen.length, 3);
    },
  ));

test('that never answers, stops, or trickles is given up', async () => {
  const timeouts = { headersMs: 2000, idleMs: 2000, windowMs: 3000, minimumBytes: 1000 };
  const options = { timeouts, retries: 0 };
  await withScripted(
    () => undefined,
    async ({ address }) => {
      assert.match(
        (await failureOf(fetchBlob(address, options))).message,
        /did not answer within 2 s/,
      );
    },
  );
  await withScripted(
    (_, response) => void response.writeHead(200, { 'content-length': CONTENT.length }).write('x'),
    async ({ address }) => {
      assert.match((await failureOf(fetchBlob(address, options))).message, /no data for 2 s/);
    },
  );
  const trickle: Handler = (_, response) => {
    response.writeHead(200, { 'content-length': CONTENT.length });
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  };
  await withScripted(trickle, async ({ address }) => {
    assert.match((await failureOf(fetchBlob(address, options))).message, /too slow/);
  });
});

test('that redirects in a circle, or to a file, is given up', async () => {
  await withScripted(
    (request, response) => response.writeHead(307, { location: `${request.url}x` }).end(),
    async ({ address }) => {
      assert.match((await failureOf(fetchBlob(address))).message, /more than 8 redirects/);
    },
  );
  await withScripted(
    (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    async ({ address }) => {
      assert.match((await failureOf(fetchBlob(address))).message, /no web address/);
    },
  );
});

test('does not get our credentials sent to where it redirects', () =>
  withScripted(
    (request, response) => {
      // A storage service that asks for credentials itself (CVE-2020-15157).
      if (request.url?.includes('steal'))
        response.writeHead(401, { 'www-authenticate': 'Basic realm="me"' }).end();
      else response.end(CONTENT);
    },
    (storage) =>
      withScripted(
        (request, response) => {
          if (request.headers.authorization === undefined)
            response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
          else
            response
              .writeHead(307, {
                location: `http://${storage.address}/${request.url?.includes('/steal/') ? 'steal' : 'blob'}`,
              })
              .end();
        },
        async ({ address, seen }) => {
          const credentials = { username: 'user', password: 'secret' };
          assert.equal(await fetchBlob(address, { credentials }), CONTENT);
          assert.is(
            seen.at(-1)?.authorization,
            `Basic ${Buffer.from('user:secret').toString('base64')}`,
          );
          const stolen = { ...BLOB, repository: 'steal' };
          const error = await failureOf(
            withSession(address, { credentials }, (session) =>
              fetchSmallBlob(session, stolen, 1 << 20),
            ),
          );
          assert.match(error.message, /401/);
          assert.equal(
            storage.seen.map(({ authorization }) => authorization),
            [undefined, undefined],
          );
        },
      ),
  ));

test('that names a token server without TLS gets nothing sent there', () =>
  withScripted(
    (_, response) => response.end('{"token":"t"}'),
    (realm) =>
      withScripted(
        (_, response) =>
          response
            .writeHead(401, { 'www-authenticate': `Bearer realm="http://${realm.address}/token"` })
            .end(),
        async ({ address }) => {
          const { createAuthorizer } = await import('../../src/registry/auth.ts');
          const { createTransport } = await import('../../src/registry/transport.ts');
          const transport = createTransport({
            tlsFor: () => ({ verify: true }),
            isInsecure: () => false,
            proxyFor: () => undefined,
            retries: 0,
            retryDelayMs: 1,
            userAgent: 'test',
            timeouts: {
              connectMs: 1000,
              headersMs: 1000,
              idleMs: 1000,
              windowMs: 1000,
              minimumBytes: 1,
            },
          });
          const authorizer = createAuthorizer({
            transport,
            host: address,
            findCredentials: async () => ({ username: 'u', password: 'p' }),
          });
          const response = await transport.send({
            method: 'GET',
            url: new URL(`http://${address}/v2/`),
          });
          assert.match(
            (await failureOf(authorizer.answer(response, []))).message,
            /has no TLS; nothing was sent/,
          );
          assert.is(realm.seen.length, 0);
          transport.close();
        },
      ),
  ));

test('gets a bearer token, asked for with the scope and our credentials', () =>
  withScripted(
    (_, response) => response.end('{"access_token":"t0ken"}'),
    (realm) =>
      withScripted(
        (request, response) => {
          if (request.headers.authorization === 'Bearer t0ken') response.end(CONTENT);
          else
            response
              .writeHead(401, {
                'www-authenticate': `Bearer realm="http://${realm.address}/token",service="s"`,
              })
              .end();
        },
        async ({ address, seen }) => {
          const credentials = { username: 'u', password: 'p' };
          await withSession(address, { credentials }, async (session) => {
            await fetchSmallBlob(session, BLOB, 1 << 20);
            await fetchSmallBlob(session, BLOB, 1 << 20);
          });
          assert.equal(realm.seen, [
            {
              method: 'GET',
              url: '/token?service=s&scope=repository%3Ax%3Apull&account=u',
              authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
            },
          ]);
          assert.is(seen.length, 3);
        },
      ),
  ));

test('that is busy is asked again, after the time it says', async () => {
  let requests = 0;
  const delays: number[] = [];
  const busy: Handler = (_, response) => {
    if (requests++ === 0)
      response
        .writeHead(429, { 'retry-after': '0' })
        .end('{"errors":[{"code":"TOOMANYREQUESTS"}]}');
    else if (requests === 2) response.writeHead(503).end();
    else response.end(CONTENT);
  };
  await withScripted(busy, async ({ address }) => {
    assert.equal(
      await fetchBlob(address, { onRetry: (_why: Error, ms: number) => delays.push(ms) }),
      CONTENT,
    );
    assert.equal(delays, [0, 20]);
  });
  await withScripted(
    (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
    async ({ address, seen }) => {
      assert.match((await failureOf(fetchBlob(address))).message, /429 too many requests/);
      assert.is(seen.length, 1);
    },
  );
});

test('that takes no large request gets the blob in chunks', () => {
  const bytes = Buffer.alloc(20_000_000, 'tsman');
  const got: Buffer[] = [];
  const ranges: string[] = [];
  const limited: Handler = (request, response) => {
    const isTooLarge = Number(request.headers['content-length'] ?? 0) > 10_000_000;
    if (isTooLarge) {
      request.resume();
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (request.method === 'PATCH') {
        got.push(...parts);
        ranges.push(request.headers['content-range'] ?? '');
      }
      const status = request.method === 'PUT' ? 201 : 202;
      response.writeHead(status, { location: '/v2/x/blobs/uploads/1' }).end();
    });
  };
  return withScripted(limited, async ({ address }) => {
    async function* open() {
      for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20));
    }
    const blob = { digest: digestOf(bytes), size: bytes.length, open };
    const outcome = await withSession(address, {}, (session) => uploadBlob(session, 'x', blob));
    assert.is(outcome, 'uploaded');
    assert.is(digestOf(Buffer.concat(got)), blob.digest);
    assert.equal(ranges, ['0-8388607', '8388608-16777215', '16777216-19999999']);
  });
});

test('cannot fill the terminal with an error', () =>
  withScripted(
    (_, response) => response.writeHead(404).end(`<html>${'x'.repeat(1e6)}`),
    async ({ address }) => {
      const error = await failureOf(
        withSession(address, {}, (session) => fetchManifest(session, 'x', 'latest')),
      );
      assert.match(error.message, /404 not found$/);
    },
  ));

test('cannot give the terminal orders with an error', () =>
  withScripted(
    (_, response) =>
      response.writeHead(403).end('{"errors":[{"code":"A\\u001b[2J","message":"b\\nc\\u009bd"}]}'),
    async ({ address }) => {
      const error = await failureOf(
        withSession(address, {}, (session) => fetchManifest(session, 'x', 'latest')),
      );
      assert.match(error.message, /403 access denied: A \[2J: b c d$/);
    },
  ));

test('cannot keep us with a list of tags without end, or names for the terminal', () =>
  withScripted(
    (request, response) => {
      const page = Number(/last=(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
      response.setHeader('link', `</v2/x/tags/list?last=${page + 1}>; rel="next"`);
      response.end(JSON.stringify({ tags: [`t${page}`, '\u001b[2J', 7] }));
    },
    async ({ address }) => {
      const tags = await withSession(address, {}, (session) =>
        Array.fromAsync(listTags(session, 'x')),
      );
      assert.is(tags.length, 1000);
      assert.is(tags.at(-1), 't999');
    },
  ));

test('is left at once when the user says so', () =>
  withScripted(
    (_, response) => void response.writeHead(200, { 'content-length': CONTENT.length }).write('x'),
    async ({ address }) => {
      const started = performance.now();
      const signal = AbortSignal.timeout(200);
      await failureOf(
        withSession(address, { signal }, async (session) =>
          Array.fromAsync(readBlob(session, BLOB)),
        ),
      );
      assert.is(performance.now() - started < 20_000, true);
    },
  ));

test('on the network is never spoken to without TLS', () =>
  withScripted(
    (_, response) => response.end('{}'),
    async ({ address, seen }) => {
      const error = await failureOf(withSession(address, { isInsecure: false, retries: 0 }, ping));
      assert.match(error.message, /does not speak TLS|closed by the other side/);
      assert.is(seen.length, 0);
    },
  ));

test.run();
