import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkRequirements } from '../../src/config/policy.ts';
import { parsePolicy } from '../../src/config/policy-file.ts';
import { usesSigstoreAttachments } from '../../src/config/registries-d.ts';
import { matchesIdentity, type SignedIdentity } from '../../src/config/signed-identity.ts';
import { parseReference } from '../../src/oci/reference.ts';

const test = suite('policy.json');

const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const REJECT = [{ type: 'reject' }];
const DIGEST = `sha256:${'0'.repeat(64)}`;
const check = (policy: object, name: string) => () =>
  checkRequirements({ ...policy }, parseReference(name), 'policy.json');

test('lets the most specific scope decide', () => {
  const docker = {
    'docker.io': REJECT,
    'docker.io/library': ACCEPT,
    'docker.io/library/bad:1': REJECT,
    [`docker.io/library/worse@${DIGEST}`]: REJECT,
    'host.io:5000': ACCEPT,
    'sub.example.com/team': REJECT,
    'sub.example.com/team/good': ACCEPT,
    '*.example.com': ACCEPT,
    '*.deep.example.com': REJECT,
  };
  const policy = { default: REJECT, transports: { docker } };
  assert.not.throws(check(policy, 'debian'));
  assert.throws(check(policy, 'team/web'), /is rejected by policy.json/);
  assert.throws(check(policy, 'bad:1'), /rejected/);
  assert.not.throws(check(policy, 'bad:2'));
  assert.throws(check(policy, `worse@${DIGEST}`), /rejected/);
  assert.throws(check(policy, `worse:1@${DIGEST}`), /rejected/);
  assert.not.throws(check(policy, 'worse:1'));
  assert.not.throws(check(policy, 'host.io:5000/x'));
  assert.throws(check(policy, 'host.io/x'), /rejected/);
  assert.throws(check(policy, 'host.io:5001/x'), /rejected/);
  assert.not.throws(check(policy, 'a.b.example.com/x'));
  assert.not.throws(check(policy, 'a.example.com:5000/x'));
  assert.throws(check(policy, 'example.com/x'), /rejected/);
  assert.throws(check(policy, 'a.deep.example.com/x'), /rejected/);
  assert.throws(check(policy, 'sub.example.com/team/x'), /rejected/);
  assert.throws(check(policy, 'sub.example.com/team'), /rejected/);
  assert.not.throws(check(policy, 'sub.example.com/team/good/x'));
  assert.not.throws(check(policy, 'sub.example.com/teams'));
  assert.throws(check(policy, 'quay.io/x'), /rejected/);
  assert.not.throws(
    check({ default: REJECT, transports: { docker: { '': ACCEPT } } }, 'quay.io/x'),
  );
});

test('is read strictly: a slip must not hide a rule', () => {
  for (const [policy, why] of [
    [{ default: ACCEPT, transport: { docker: { 'a.io': REJECT } } }, /unknown key "transport"/],
    [{ transports: {} }, /no "default"/],
    [{ default: [] }, /default is not a list/],
    [{ default: ACCEPT, transports: { docker: REJECT } }, /transports.docker is not an object/],
    [{ default: ACCEPT, transports: { docker: { 'a.io': [] } } }, /docker."a.io" is not a list/],
    [{ default: ACCEPT, transports: { docker: { 'a.io': [{}] } } }, /has no type/],
    [{ default: [{ type: 'insecureAcceptAnything', keyPath: '/k' }] }, /unknown key "keyPath"/],
  ] as const)
    try {
      parsePolicy(JSON.stringify(policy), 'policy.json');
      assert.unreachable(JSON.stringify(policy));
    } catch (error) {
      assert.match(String((error as Error).cause), why);
    }
  assert.throws(() => parsePolicy('{', 'policy.json'), /read policy.json: not JSON/);
  assert.ok(parsePolicy(JSON.stringify({ default: REJECT }), 'policy.json'));
});

test('never takes a demand it cannot check for one that is met', () => {
  assert.throws(
    check({ default: [...ACCEPT, { type: 'signedBy', keyPath: '/k' }] }, 'debian'),
    /\(signedBy\) for docker.io\/library\/debian, which tsman cannot check/,
  );
  const sigstore = (rest: object) =>
    check({ default: [...ACCEPT, { type: 'sigstoreSigned', ...rest }] }, 'debian');
  const key = { keyData: 'eA==' };
  assert.throws(sigstore({}), /sigstoreSigned for docker.io/);
  assert.throws(sigstore({ keyPath: '/nowhere' }), /sigstoreSigned for docker.io/);
  assert.throws(sigstore({ ...key, keyPath: '/k' }), /sigstoreSigned/);
  for (const unchecked of ['fulcio', 'pki', 'rekorPublicKeyPath', 'new'])
    assert.throws(sigstore({ ...key, [unchecked]: 'x' }), /sigstoreSigned/);
  assert.throws(sigstore({ ...key, signedIdentity: { type: 'matchAll' } }), /sigstoreSigned/);
  assert.throws(sigstore({ ...key, signedIdentity: { type: 'exactReference' } }), /sigstoreSigned/);
  assert.not.throws(sigstore({ keyDatas: ['eA==', 'eQ=='] }));
  assert.throws(check({ default: [{ type: 'new' }] }, 'debian'), /unknown requirement/);
  assert.throws(check({ default: [] }, 'debian'), /no requirements/);
  assert.throws(check({}, 'debian'), /no requirements/);
});

/** Table of containers-policy.json(5), signedIdentity: pulled name, name in the signature, counts? */
const IDENTITIES: readonly [SignedIdentity, string, string, boolean][] = [
  [{ type: 'matchExact' }, 'a.io/x:1', 'a.io/x:1', true],
  [{ type: 'matchExact' }, 'a.io/x:1', 'a.io/x:2', false],
  [{ type: 'matchExact' }, 'a.io/x:1', 'a.io/x', false],
  [{ type: 'matchExact' }, `a.io/x@sha256:${'0'.repeat(64)}`, 'a.io/x:1', false],
  [{ type: 'matchRepoDigestOrExact' }, 'a.io/x:1', 'a.io/x:1', true],
  [{ type: 'matchRepoDigestOrExact' }, 'a.io/x:1', 'a.io/x:2', false],
  [{ type: 'matchRepoDigestOrExact' }, 'a.io/x:1', 'a.io/x', false],
  [{ type: 'matchRepoDigestOrExact' }, `a.io/x@sha256:${'0'.repeat(64)}`, 'a.io/x:1', true],
  [{ type: 'matchRepoDigestOrExact' }, `a.io/x@sha256:${'0'.repeat(64)}`, 'a.io/y:1', false],
  [{ type: 'matchRepository' }, 'a.io/x:1', 'a.io/x', true],
  [{ type: 'matchRepository' }, 'a.io/x:1', 'a.io/y:1', false],
  [{ type: 'exactReference', dockerReference: 'a.io/x:1' }, 'b.io/z:9', 'a.io/x:1', true],
  [{ type: 'exactReference', dockerReference: 'a.io/x:1' }, 'b.io/z:9', 'b.io/z:9', false],
  [{ type: 'exactRepository', dockerRepository: 'a.io/x' }, 'b.io/z:9', 'a.io/x', true],
  [{ type: 'exactRepository', dockerRepository: 'a.io/x' }, 'b.io/z:9', 'a.io/xy', false],
  [
    { type: 'remapIdentity', prefix: 'mirror.io/m', signedPrefix: 'a.io' },
    'mirror.io/m/x:1',
    'a.io/x:1',
    true,
  ],
  [
    { type: 'remapIdentity', prefix: 'mirror.io/m', signedPrefix: 'a.io' },
    'mirror.io/max/x:1',
    'a.io/ax/x:1',
    false,
  ],
  [
    { type: 'remapIdentity', prefix: 'mirror.io/m', signedPrefix: 'a.io' },
    'b.io/x:1',
    'b.io/x:1',
    true,
  ],
  [{ type: 'matchRepository' }, 'a.io/x:1', 'not a name', false],
];

test('compares the name in a signature as signedIdentity says', () => {
  for (const [identity, wanted, signed, counts] of IDENTITIES) {
    const found = matchesIdentity(identity, parseReference(wanted), signed);
    assert.is(found, counts, `${JSON.stringify(identity)} ${wanted} ${signed}`);
  }
});

test('looks for signatures beside the image where registries.d says so', () =>
  withDirectory(async (config) => {
    const directory = join(config, 'containers/registries.d');
    mkdirSync(directory, { recursive: true });
    const says = (text: string): void => writeFileSync(join(directory, 'one.yaml'), text);
    const answer = (name: string): Promise<boolean> =>
      usesSigstoreAttachments(parseReference(name), { XDG_CONFIG_HOME: config, HOME: config });
    assert.is(await answer('quay.io/x'), false);
    says(`# comment
default-docker:
    lookaside: https://a.io/x#y   # where
    use-sigstore-attachments: true
docker:
    "host.io:5000":
        use-sigstore-attachments: false
    host.io:5000/team:
        use-sigstore-attachments: true
    empty.io: {}
`);
    assert.is(await answer('quay.io/x'), true);
    assert.is(await answer('host.io:5000/x'), false);
    assert.is(await answer('host.io:5000/team/x'), true);
    assert.is(await answer('empty.io/x'), true);
    for (const bad of [
      '- a',
      'a: b\na: c',
      '"a',
      'docker:\n  x.io: {use-sigstore-attachments: 1}',
    ]) {
      says(bad);
      const failure = await answer('x.io/x').then(String, String);
      assert.match(failure, /Error: read .*one\.yaml/, bad);
    }
  }));

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tsman-policy-'));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test.run();
