import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { humanDuration, humanSince, humanSize } from '../../src/output/units.ts';

const test = suite('human units');

test('sizes are as Docker prints them', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [999, '999 B'],
    [13_312, '13.3 kB'],
    [7_330_000, '7.33 MB'],
    [116_500_000, '117 MB'],
    [1_500_000_000, '1.5 GB'],
  ];
  for (const [bytes, text] of cases) assert.is(humanSize(bytes), text);
});

test('durations are as Docker prints them', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [61, 'About a minute'],
    [300, '5 minutes'],
    [3600, 'About an hour'],
    [40 * 3600, '40 hours'],
    [3 * 86_400, '3 days'],
    [15 * 86_400, '2 weeks'],
    [70 * 86_400, '2 months'],
    [800 * 86_400, '2 years'],
  ];
  for (const [seconds, text] of cases) assert.is(humanDuration(seconds * 1000), text);
  assert.is(humanSince('2026-01-01T00:00:00Z', Date.parse('2026-01-03T12:00:00Z')), '2 days ago');
});

test.run();
