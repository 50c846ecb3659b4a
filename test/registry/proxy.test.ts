import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyFromEnvironment } from '../../src/registry/proxy.ts';

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
  assert.throws(() => proxy('https://example.com', { HTTPS_PROXY: 'socks5://a:1' }), /HTTPS_PROXY/);
});

test.run();
