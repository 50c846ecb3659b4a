import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findEndpoints, ownEndpoint } from '../../src/config/endpoints.ts';
import { parseRegistries, type RegistriesConfig } from '../../src/config/registries.ts';
import {
  type ChooseName,
  resolveTypedName,
  settleTypedName,
} from '../../src/config/short-names.ts';
import { formatReference, parseReference, type Reference } from '../../src/oci/reference.ts';
import { failureOf } from '../support/session.ts';

const test = suite('registries.conf');

async function config(text: string): Promise<RegistriesConfig> {
  const nothing = {
    unqualifiedSearchRegistries: [],
    shortNameMode: 'permissive',
    aliases: new Map(),
    rules: [],
    credentialHelpers: ['containers-auth.json'],
  } as const;
  return { ...nothing, ...(await parseRegistries(text, 'registries.conf')) };
}

const DIGEST = `sha256:${'0'.repeat(64)}`;
const endpoints = (parsed: RegistriesConfig, name: string): string[] =>
  findEndpoints(parsed, parseReference(name)).map(
    ({ registry, repository, insecure }) =>
      `${insecure ? 'insecure ' : ''}${registry}/${repository}`,
  );
const resolved = (parsed: RegistriesConfig, name: string): string[] =>
  resolveTypedName(parsed, name).map(formatReference);

test('without a word sends short names to Docker Hub', async () => {
  const parsed = await config('');
  assert.equal(resolved(parsed, 'debian:12'), ['docker.io/library/debian:12']);
  assert.equal(resolved(parsed, 'team/web'), ['docker.io/team/web']);
  assert.equal(resolved(parsed, 'localhost:5000/web'), ['localhost:5000/web']);
});

test('gives aliases first, then the registries to search', async () => {
  const parsed = await config(
    'unqualified-search-registries = ["quay.io", "docker.io"]\n[aliases]\nfedora = "registry.fedoraproject.org/fedora"\n',
  );
  assert.equal(resolved(parsed, 'fedora:40'), ['registry.fedoraproject.org/fedora:40']);
  assert.equal(resolved(parsed, 'debian'), ['quay.io/debian', 'docker.io/library/debian']);
  assert.equal(resolved(parsed, `debian@${DIGEST}`)[1], `docker.io/library/debian@${DIGEST}`);
});

test('lets short-name-mode decide what an ambiguous name means', async () => {
  const two = 'unqualified-search-registries = ["a.io", "b.io"]\n[aliases]\nknown = "c.io/known"\n';
  const settle = async (mode: string, name: string, choose?: ChooseName) => {
    const parsed = await config(`short-name-mode = "${mode}"\n${two}`);
    const { references, isChosen } = await settleTypedName(parsed, name, choose);
    return `${references.map(formatReference)} ${isChosen}`;
  };
  const second: ChooseName = async (_, candidates) => candidates[1] as Reference;
  for (const mode of ['enforcing', 'permissive', 'disabled'])
    assert.is(await settle(mode, 'known:1', second), 'c.io/known:1 false');
  assert.is(await settle('disabled', 'x', second), 'a.io/x,b.io/x false');
  assert.is(await settle('permissive', 'x', second), 'b.io/x true');
  assert.is(await settle('enforcing', 'x', second), 'b.io/x true');
  assert.is(await settle('permissive', 'x'), 'a.io/x,b.io/x false');
  assert.match((await failureOf(settle('enforcing', 'x'))).message, /may mean a.io\/x, b.io\/x/);
});

test('takes the longest prefix, rewrites it, and tries mirrors first', async () => {
  const parsed = await config(`
[[registry]]
location = "example.com"
insecure = true
[[registry]]
prefix = "example.com/team"
location = "other.example/x"
[[registry.mirror]]
location = "mirror.lan:5000/m"
insecure = true
[[registry.mirror]]
location = "digests.lan"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "*.blocked.example"
blocked = true
`);
  assert.equal(endpoints(parsed, 'example.com/web'), ['insecure example.com/web']);
  assert.equal(endpoints(parsed, 'example.com/teams/web'), ['insecure example.com/teams/web']);
  assert.equal(endpoints(parsed, 'example.com/team/web:1'), [
    'insecure mirror.lan:5000/m/web',
    'other.example/x/web',
  ]);
  assert.equal(endpoints(parsed, `example.com/team/web@${DIGEST}`), [
    'insecure mirror.lan:5000/m/web',
    'digests.lan/web',
    'other.example/x/web',
  ]);
  assert.throws(() => endpoints(parsed, 'a.blocked.example/web'), /is blocked/);
});

test('keeps mirrors for digests where mirror-by-digest-only says so', async () => {
  const parsed = await config(
    '[[registry]]\nlocation = "a.example"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b.example"\n',
  );
  assert.equal(endpoints(parsed, 'a.example/x:1'), ['a.example/x']);
  assert.equal(endpoints(parsed, `a.example/x@${DIGEST}`), ['b.example/x', 'a.example/x']);
});

test('takes a host for all of its ports, a wildcard for a host below', async () => {
  const parsed = await config(`
[[registry]]
location = "blocked.example"
blocked = true
[[registry]]
prefix = "*.v.example"
location = "real.example"
[[registry]]
prefix = "*.a.v.example"
location = "deeper.example/x"
`);
  assert.throws(() => endpoints(parsed, 'blocked.example:5000/web'), /is blocked/);
  assert.equal(endpoints(parsed, 'blocked.example2/web'), ['blocked.example2/web']);
  assert.equal(endpoints(parsed, 'w.v.example:5000/web'), ['real.example:5000/web']);
  assert.equal(endpoints(parsed, 'v.example.v.example/web'), ['real.example/web']);
  assert.equal(endpoints(parsed, 'b.a.v.example/web'), ['deeper.example/x/web']);
  assert.equal(endpoints(parsed, 'v.example/web'), ['v.example/web']);
});

test('sends pushes to the registry of the name itself, unless it is blocked', async () => {
  const parsed = await config(`
[[registry]]
prefix = "a.example"
location = "proxy.example"
insecure = true
[[registry.mirror]]
location = "mirror.example"
[[registry]]
location = "b.example"
blocked = true
`);
  const own = (name: string) => ownEndpoint(parsed, parseReference(name));
  assert.equal(own('a.example/web:1'), {
    registry: 'a.example',
    repository: 'web',
    insecure: true,
    isNamed: true,
  });
  assert.is(own('c.example/web').insecure, false);
  assert.throws(() => own('b.example/web'), /is blocked/);
});

test('names the file and the key when it is wrong', async () => {
  for (const [text, why] of [
    ['[[registry]]\ninsecure = "yes"\nlocation = "a"', /insecure is neither/],
    ['[registries.search]\nregistries = []', /version 1/],
    ['[[registry]]\nlocation = "a"\nblokced = true', /\[\[registry\]\] has no key blokced/],
    [
      '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\nblocked = true',
      /\[\[registry.mirror\]\] has no key blocked/,
    ],
    ['[[registry]]\nlocation = "http://a"', /location http:\/\/a has a scheme/],
    [
      '[[registry]]\nlocation = "a"\n[[registry]]\nlocation = "a"\nblocked = true',
      /registry a is there twice, with another blocked/,
    ],
    [
      '[[registry]]\nlocation = "a"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "all"',
      /exclude each other/,
    ],
    [
      '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "x"',
      /pull-from-mirror is none of/,
    ],
    ['x = ', /./],
  ] as const) {
    try {
      await config(text);
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /read registries.conf/);
      assert.match(String((error as Error).cause), why);
    }
  }
});

test.run();
