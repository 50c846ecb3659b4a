import * as net from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isIP } from '../../src/base/ip-address.ts';

const test = suite('isIP');

const TEXTS = [
  ...['0.0.0.0', '127.0.0.1', '255.255.255.255', '256.0.0.1', '1.2.3', '1.2.3.4.5', '01.2.3.4', ''],
  ...[
    '1.2.3.4 ',
    '1..3.4',
    '0x1.2.3.4',
    '::',
    '::1',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
  ],
  ...[
    '::ffff:10.0.0.1',
    '1::2::3',
    '12345::',
    '::1]',
    '[::1]',
    '::1/64',
    ':::',
    '::1.2.3',
    'fd00::g',
    'localhost',
  ],
];

for (const text of TEXTS)
  test(`${JSON.stringify(text)}: as node:net`, () => assert.is(isIP(text), net.isIP(text)));

test.run();
