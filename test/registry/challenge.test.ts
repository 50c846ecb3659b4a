import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseChallenges } from '../../src/registry/challenge.ts';

const test = suite('WWW-Authenticate');

test('gives scheme and parameters, quoted or not', () => {
  assert.equal(
    parseChallenges('Bearer realm="https://a/token",service=reg,scope="repository:x:pull,push"'),
    [
      {
        scheme: 'bearer',
        parameters: { realm: 'https://a/token', service: 'reg', scope: 'repository:x:pull,push' },
      },
    ],
  );
});

test('gives every challenge of a list', () => {
  const challenges = parseChallenges('Basic realm="a \\"b\\"", Bearer realm="c", Negotiate');
  assert.equal(challenges, [
    { scheme: 'basic', parameters: { realm: 'a "b"' } },
    { scheme: 'bearer', parameters: { realm: 'c' } },
    { scheme: 'negotiate', parameters: {} },
  ]);
});

test('survives nonsense', () => {
  assert.equal(parseChallenges(''), []);
  assert.equal(parseChallenges('"""'), []);
  assert.is(parseChallenges(`Bearer ${'a='.repeat(100_000)}`).length > 0, true);
});

test.run();
