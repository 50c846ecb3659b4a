import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnose, examine } from '../../src/doctor/examine.ts';
import { sysctl, withHost, without } from './check-host.ts';
import type { Breakage } from './fake-host.ts';

const test = suite('tsman doctor');

test('there is nothing to say about a healthy one', () => {
  const results = withHost({}, examine);

  assert.equal(
    results.filter(({ verdict }) => verdict !== 'ok'),
    [],
  );
});

test('file capabilities are as good as set-uid', () => {
  const modes = { '/usr/bin/newuidmap': 0o755, '/usr/bin/newgidmap': 0o755 };
  const results = withHost({ modes, capabilities: 'cap_setuid,cap_setgid=ep' }, examine);

  assert.ok(results.every(({ verdict }) => verdict === 'ok'));
});

test('a module that is not loaded yet will do', () => {
  const ko = '/lib/modules/6.1.0-37-amd64/kernel/fs/overlayfs/overlay.ko.xz';
  const results = withHost({ files: { '/proc/filesystems': '', [ko]: '' } }, examine);

  assert.ok(results.every(({ verdict }) => verdict === 'ok'));
});

test('errors of a step quote what the checks find', () => {
  const say = (broken: Breakage, step: string) =>
    withHost(broken, (host) => diagnose(host, step))?.problem;

  assert.is(say(sysctl('user.max_user_namespaces', '0'), 'unshare'), 'max-user-namespaces');
  assert.is(say(without('/usr/bin/newuidmap'), 'newuidmap'), 'idmap-missing');
  assert.is(say(without('/usr/bin/pasta'), 'network-process'), 'pasta-missing');
  assert.is(say({}, 'unshare'), undefined);
});

test.run();
