import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  familiarName,
  formatReference,
  localCandidates,
  parseLocalReference,
  parseReference,
  withDefaultTag,
} from '../../src/oci/reference.ts';

const test = suite('image references');
const DIGEST = `sha256:${'a'.repeat(64)}`;

test('are completed as Docker completes them', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['debian', 'docker.io/library/debian'],
    ['debian:12', 'docker.io/library/debian:12'],
    ['docker.io/debian', 'docker.io/library/debian'],
    ['index.docker.io/debian', 'docker.io/library/debian'],
    ['someone/web', 'docker.io/someone/web'],
    ['localhost/web', 'localhost/web'],
    ['localhost:5000/web:1', 'localhost:5000/web:1'],
    ['quay.io/a/b/c', 'quay.io/a/b/c'],
    ['[::1]:5000/web', '[::1]:5000/web'],
    ['Registry/web', 'Registry/web'],
    [`debian:12@${DIGEST}`, `docker.io/library/debian:12@${DIGEST}`],
    ['a__b/c-d.e--f', 'docker.io/a__b/c-d.e--f'],
  ];
  for (const [typed, full] of cases) assert.is(formatReference(parseReference(typed)), full, typed);
});

test('get :latest only when they have neither tag nor digest', () => {
  assert.is(withDefaultTag(parseReference('debian')).tag, 'latest');
  assert.is(withDefaultTag(parseReference('debian:12')).tag, '12');
  assert.is(withDefaultTag(parseReference(`debian@${DIGEST}`)).tag, undefined);
});

test('are refused with the reason', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /empty/],
    ['Debian', /lower case/],
    ['a//b', /no part/],
    ['-a', /no part/],
    ['a..b', /no part/],
    ['../../etc/passwd', /no part|no registry/],
    ['debian:', /no tag/],
    [`debian:${'t'.repeat(129)}`, /no tag/],
    ['debian:a b', /no tag/],
    ['debian@sha256:abc', /64 lower-case/],
    ['debian@md5:abc', /64 lower-case/],
    ['a'.repeat(64), /image ID/],
    [`quay.io/${'a'.repeat(250)}`, /longer than 255/],
    ['ex_ample.com/x', /no registry's host/],
    ['debian\nx', /no part/],
  ];
  for (const [typed, why] of cases) assert.throws(() => parseReference(typed), why, typed);
});

test('without a registry mean something local first', () => {
  assert.equal(localCandidates('web').map(formatReference), [
    'localhost/web:latest',
    'docker.io/library/web:latest',
  ]);
  assert.equal(localCandidates('quay.io/web').map(formatReference), ['quay.io/web:latest']);
  assert.is(formatReference(parseLocalReference('web:1')), 'localhost/web:1');
});

test('have a short form', () => {
  assert.is(familiarName(parseReference('debian:12')), 'debian:12');
  assert.is(familiarName(parseReference('a/b')), 'a/b');
  assert.is(familiarName(parseReference('docker.io/library/a/b')), 'library/a/b');
  assert.is(familiarName(parseReference('quay.io/library/b')), 'quay.io/library/b');
});

test.run();
