import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyChanges } from '../../src/image/changes.ts';

const test = suite('--change');

test('takes the instructions of a Containerfile', () => {
  const config = applyChanges({ Env: ['A=0', 'Z=1'] }, [
    'CMD ["sh", "-c", "x"]',
    'ENTRYPOINT /bin/run now',
    'ENV A=1 B="two words" C=\'it"s\'',
    'ENV OLD the old form',
    'EXPOSE 80 53/udp',
    'LABEL a=b "c d"=e',
    'USER 1:2',
    'VOLUME ["/a", "/b"]',
    'volume /c',
    'WORKDIR /w',
    'STOPSIGNAL SIGINT',
    'ONBUILD RUN true',
  ]);
  assert.equal(config, {
    Env: ['A=1', 'Z=1', 'B=two words', 'C=it"s', 'OLD=the old form'],
    Cmd: ['sh', '-c', 'x'],
    Entrypoint: ['/bin/sh', '-c', '/bin/run now'],
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    Labels: { a: 'b', 'c d': 'e' },
    User: '1:2',
    Volumes: { '/a': {}, '/b': {}, '/c': {} },
    WorkingDir: '/w',
    StopSignal: 'SIGINT',
    OnBuild: ['RUN true'],
  });
  assert.equal(applyChanges({}, ['CMD=/bin/x']).Cmd, ['/bin/sh', '-c', '/bin/x']);
});

test('refuses others', () => {
  for (const change of ['FROM x', 'CMD', '', 'ENV', 'ENV =x', 'EXPOSE http'])
    assert.throws(() => applyChanges({}, [change]), /option --change/, change);
});

test.run();
