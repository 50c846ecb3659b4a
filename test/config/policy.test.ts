import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkRequirements } from '../../src/config/policy.ts';
import { parseReference } from '../../src/oci/reference.ts';

const test = suite('policy.json');

const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const REJECT = [{ type: 'reject' }];
const check = (policy: object, name: string) => () =>
  checkRequirements({ ...policy }, parseReference(name), 'policy.json');

test('lets the most specific scope decide', () => {
  const docker = {
    'docker.io': REJECT,
    'docker.io/library': ACCEPT,
    'docker.io/library/bad:1': REJECT,
    '*.example.com': ACCEPT,
  };
  const policy = { default: REJECT, transports: { docker } };
  assert.not.throws(check(policy, 'debian'));
  assert.throws(check(policy, 'team/web'), /is rejected by policy.json/);
  assert.throws(check(policy, 'bad:1'), /rejected/);
  assert.not.throws(check(policy, 'a.b.example.com/x'));
  assert.throws(check(policy, 'quay.io/x'), /rejected/);
  assert.not.throws(
    check({ default: REJECT, transports: { docker: { '': ACCEPT } } }, 'quay.io/x'),
  );
});

test('never takes a signature it cannot check for one that is fine', () => {
  for (const type of ['signedBy', 'sigstoreSigned']) {
    assert.throws(
      check({ default: [...ACCEPT, { type }] }, 'debian'),
      /which tsman cannot check yet/,
    );
  }
  assert.throws(check({ default: [{ type: 'new' }] }, 'debian'), /unknown requirement/);
  assert.throws(check({ default: [] }, 'debian'), /no requirements/);
  assert.throws(check({}, 'debian'), /no requirements/);
});

test.run();
