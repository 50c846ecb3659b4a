import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import { putManifest } from '../../src/registry/manifests.ts';
import { uploadBlob } from '../../src/registry/upload.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { type TestRegistry, withRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { withSession } from '../support/session.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman pull with sigstoreSigned in policy.json');
const real = requires(test, 'docker-registry', 'userns');

const digestOf = (bytes: Uint8Array): `sha256:${string}` =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface Signature {
  readonly digest: string;
  readonly name: string;
  readonly key: KeyObject;
  readonly kind?: string;
}

/** What `cosign sign` leaves in a registry: a manifest under `sha256-….sig`, one layer for each signature. */
async function attach(
  { address }: TestRegistry,
  repository: string,
  digest: string,
  signatures: readonly Signature[],
): Promise<void> {
  await withSession(address, {}, async (session) => {
    const put = async (bytes: Buffer) => {
      const blob = { digest: digestOf(bytes), size: bytes.length };
      await uploadBlob(session, repository, {
        ...blob,
        open: async function* () {
          yield bytes;
        },
      });
      return blob;
    };
    const layers = [];
    for (const { name, key, kind = 'cosign container image signature', ...rest } of signatures) {
      const critical = {
        identity: { 'docker-reference': name },
        image: { 'docker-manifest-digest': rest.digest },
        type: kind,
      };
      const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
      const signature = sign('sha256', payload, key).toString('base64');
      layers.push({
        mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
        ...(await put(payload)),
        annotations: { 'dev.cosignproject.cosign/signature': signature },
      });
    }
    const config = { mediaType: MEDIA_TYPE.ociConfig, ...(await put(Buffer.from('{}'))) };
    const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers };
    await putManifest(session, repository, `${digest.replace(':', '-')}.sig`, {
      bytes: Buffer.from(JSON.stringify(manifest)),
      mediaType: MEDIA_TYPE.ociManifest,
    });
  });
}

interface Place {
  readonly tsman: Tsman;
  readonly registry: TestRegistry;
  readonly digest: string;
  readonly good: KeyObject;
  readonly bad: KeyObject;
  /** Writes the user's policy.json; every pull wants a signature by `good`. */
  policy(requirement: object): void;
  attachments(value: string): void;
}

function withSigned(body: (place: Place, scratch: Scratch) => Promise<void>): Promise<void> {
  return withScratch((plain, scratch) =>
    withRegistry({}, async (registry) => {
      const config = scratch.makeDirectory('config');
      mkdirSync(join(config, 'containers/registries.d'), { recursive: true });
      const tsman = plain.with({ env: { XDG_CONFIG_HOME: config } });
      const [good, bad] = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
      if (good === undefined || bad === undefined) throw new Error('no keys');
      const keyPath = join(config, 'cosign.pub');
      writeFileSync(keyPath, good.publicKey.export({ type: 'spki', format: 'pem' }));
      const policy = (requirement: object) => {
        const docker = {
          [registry.address]: [{ type: 'sigstoreSigned', keyPath, ...requirement }],
        };
        const document = { default: [{ type: 'reject' }], transports: { docker } };
        writeFileSync(join(config, 'containers/policy.json'), JSON.stringify(document));
      };
      const attachments = (value: string) =>
        writeFileSync(
          join(config, 'containers/registries.d/test.yaml'),
          `docker:\n  ${registry.address}:\n    use-sigstore-attachments: ${value}\n`,
        );
      await loadProbe(plain);
      const file = join(scratch.directory, 'digest');
      const pushed = await plain(
        'push',
        '--digestfile',
        file,
        PROBE_IMAGE,
        `${registry.address}/a:1`,
      );
      assert.is(pushed.exitCode, 0, pushed.stderr);
      const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed.stderr)?.[1] ?? '';
      policy({});
      attachments('true');
      const keys = { good: good.privateKey, bad: bad.privateKey };
      await body({ tsman, registry, digest, ...keys, policy, attachments }, scratch);
    }),
  );
}

real('takes an image whose signature is by the key and for the name', () =>
  withSigned(async ({ tsman, registry, digest, good, bad, attachments }) => {
    const name = `${registry.address}/a:1`;
    const none = await tsman('pull', name);
    assert.is(none.exitCode, 125);
    assert.match(
      none.stderr,
      /wants a signature, and the image has none\nhint: .*sha256-[0-9a-f]{64}\.sig/,
    );
    await attach(registry, 'a', digest, [
      { digest, name, key: bad },
      { digest, name, key: good },
    ]);
    const { exitCode, stderr } = await tsman('pull', name);
    assert.is(exitCode, 0, stderr);
    assert.is((await tsman('pull', `${registry.address}/a@${digest}`)).exitCode, 0);
    attachments('false');
    assert.match((await tsman('pull', name)).stderr, /hint: set use-sigstore-attachments: true/);
  }),
);

real('refuses every signature that is not good for it', () =>
  withSigned(async ({ tsman, registry, digest, good, bad }) => {
    const name = `${registry.address}/a:1`;
    const other = digestOf(Buffer.from('another image'));
    const cases: readonly [Signature, RegExp][] = [
      [{ digest, name, key: bad }, /it was made with another key/],
      [{ digest: other, name, key: good }, /it is for another image/],
      [
        { digest, name: `${registry.address}/b:1`, key: good },
        /another name: .*\/b:1 by matchRepoDigestOrExact/,
      ],
      [{ digest, name, key: good, kind: 'atomic container signature' }, /payload is not that/],
    ];
    for (const [signature, why] of cases) {
      await attach(registry, 'a', digest, [signature]);
      const { exitCode, stderr } = await tsman('pull', name);
      assert.is(exitCode, 125);
      assert.match(stderr, why);
      assert.is(stderr.match(/^Error: /gm)?.length, 1);
    }
  }),
);

real('compares names as signedIdentity says, and checks a repeated pull too', () =>
  withSigned(async ({ tsman, registry, digest, good, policy }) => {
    const name = `${registry.address}/a:1`;
    // What cosign signs by default: the repository alone.
    await attach(registry, 'a', digest, [{ digest, name: `${registry.address}/a`, key: good }]);
    assert.is((await tsman('pull', name)).exitCode, 125);
    policy({ signedIdentity: { type: 'matchRepository' } });
    assert.is((await tsman('pull', name)).exitCode, 0);
    policy({});
    assert.is((await tsman('pull', name)).exitCode, 125);
    const second = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = second.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    policy({ keyPath: undefined, keyData: Buffer.from(pem).toString('base64') });
    await attach(registry, 'a', digest, [{ digest, name, key: second.privateKey }]);
    assert.is((await tsman('pull', name)).exitCode, 0);
  }),
);

real('lets load take only what policy.json accepts without a signature', () =>
  withScratch(async (plain, scratch) => {
    const config = scratch.makeDirectory('config');
    mkdirSync(join(config, 'containers'));
    const tsman = plain.with({ env: { XDG_CONFIG_HOME: config } });
    await loadProbe(plain);
    const archives = ['docker-archive', 'oci-archive', 'oci-dir', 'docker-dir'].map((format) => {
      const path = join(scratch.directory, format);
      return { format, path };
    });
    for (const { format, path } of archives)
      await plain('save', '--format', format, '-o', path, PROBE_IMAGE);
    const policy = (transports: object) =>
      writeFileSync(
        join(config, 'containers/policy.json'),
        JSON.stringify({ default: [{ type: 'reject' }], transports }),
      );
    const accepted = [{ type: 'insecureAcceptAnything' }];
    for (const { format, path } of archives) {
      policy({ 'docker-daemon': { '': accepted } });
      const refused = await tsman('load', '-i', path);
      assert.is(refused.exitCode, 125, format);
      assert.match(refused.stderr, /does not accept (docker-archive|oci-archive|oci|dir): /);
    }
    policy({ 'oci-archive': { '': accepted }, dir: { [scratch.directory]: accepted } });
    for (const format of ['oci-archive', 'docker-dir'])
      assert.is((await tsman('load', '-i', join(scratch.directory, format))).exitCode, 0, format);
    // What came with tsman is as trusted as the program.
    assert.is((await tsman('create', 'hello')).exitCode, 0);
  }),
);

test.run();
