import { join } from 'node:path';
import { cached } from './cache.ts';
import { type Compression, packLayout, writeLayout } from './oci-layout.ts';
import { runProgram } from './programs.ts';
import { type TarEntry, writeTar } from './tar.ts';

/** What the image is called in its archives. */
export const DEBIAN_IMAGE = 'docker.io/library/debian:bookworm';
const PACKAGES = ['python3', 'redis-server', 'procps', 'passwd', 'apt'];
/** Half of a Debian is text nobody reads in a container. */
const LEFT_OUT = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/locale/*',
  '/usr/share/info/*',
];
const MAKING_TIMEOUT_MS = 240_000;

/**
 * A real Debian 12 with python3, redis and dpkg, made once per machine from the machine's own mirror.
 * In the directory: `gzip/` and `zstd/`, OCI layouts with three layers that hold whiteouts;
 * `debian.tar`, the first one as an archive for `load`; `rootfs.tar`, flat, for `import`.
 */
export function debianDirectory(): Promise<string> {
  return cached('debian-bookworm-2', makeDebian);
}

/** Copies the image to a registry on loopback: `pushDebian('gzip', 'localhost:5000/debian:bookworm')`. */
export async function pushDebian(compression: 'gzip' | 'zstd', reference: string): Promise<void> {
  await pushLayout(join(await debianDirectory(), compression), DEBIAN_IMAGE, reference);
}

/** Copies an image from an OCI layout to a registry on loopback, as it is, with skopeo. */
export async function pushLayout(layout: string, name: string, reference: string): Promise<void> {
  const options = [
    '--insecure-policy',
    'copy',
    '--quiet',
    '--preserve-digests',
    '--dest-tls-verify=false',
  ];
  await runProgram('skopeo', [...options, `oci:${layout}:${name}`, `docker://${reference}`]);
}

async function makeDebian(directory: string): Promise<void> {
  const base = join(directory, 'rootfs.tar');
  await runProgram(
    'mmdebstrap',
    [
      ...(await mmdebstrapOptions()),
      '--variant=apt',
      `--include=${PACKAGES.join(',')}`,
      'bookworm',
      base,
      ...(await debianMirror()),
    ],
    MAKING_TIMEOUT_MS,
  );
  const [changes, additions] = [join(directory, 'changes.tar'), join(directory, 'additions.tar')];
  await writeTar(changes, CHANGES);
  await writeTar(additions, ADDITIONS);
  for (const compression of ['gzip', 'zstd'] satisfies Compression[]) {
    await writeLayout(join(directory, compression), {
      name: DEBIAN_IMAGE,
      layers: [base, changes, additions].map((tar) => ({ tar, compression })),
      config: {
        Cmd: ['bash'],
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      },
    });
  }
  await packLayout(join(directory, 'gzip'), join(directory, 'debian.tar'));
}

/** The path of a small Debian 12, as a tar, with these packages. Made once per machine. */
export async function debianWith(...packages: string[]): Promise<string> {
  const directory = await cached(`debian-with-${packages.join('-')}-1`, async (aside) => {
    const options = ['--variant=minbase', `--include=${packages.join(',')}`];
    const words = [
      ...(await mmdebstrapOptions()),
      ...options,
      'bookworm',
      join(aside, 'rootfs.tar'),
    ];
    await runProgram('mmdebstrap', [...words, ...(await debianMirror())], MAKING_TIMEOUT_MS);
  });
  return join(directory, 'rootfs.tar');
}

async function mmdebstrapOptions(): Promise<string[]> {
  const proxy = /='(.*)'/.exec(
    await runProgram('apt-config', ['shell', 'proxy', 'Acquire::http::Proxy']),
  )?.[1];
  return [
    '--quiet',
    '--aptopt=Acquire::Retries "3"',
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...(proxy === undefined ? [] : [`--aptopt=Acquire::http::Proxy "${proxy}"`]),
  ];
}

/** Where this machine's apt gets bookworm from; nothing = mmdebstrap's own default. */
async function debianMirror(): Promise<string[]> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = await runProgram('apt-get', [
    'indextargets',
    '--format',
    format,
    'Identifier: Packages',
  ]);
  const own = targets.split('\n').find((line) => line.endsWith(' bookworm main'));
  const uri = own?.split(' ')[0];
  return uri === undefined ? [] : [uri];
}

/** A layer that replaces, removes a file, removes a directory, and empties one (image-spec layer.md, Whiteouts). */
const CHANGES: readonly TarEntry[] = [
  { name: 'etc/motd', mode: 0o644, content: 'Changed by the second layer.\n' },
  { name: 'usr/share/common-licenses/.wh.BSD', content: '' },
  { name: 'usr/share/.wh.bug', content: '' },
  { name: 'usr/share/base-files/', type: 'directory', mode: 0o755 },
  { name: 'usr/share/base-files/.wh..wh..opq', content: '' },
  { name: 'usr/share/base-files/only-this', mode: 0o644, content: 'opaque\n' },
];

const ADDITIONS: readonly TarEntry[] = [
  { name: 'srv/www/', type: 'directory', mode: 0o755 },
  { name: 'srv/www/index.html', mode: 0o644, content: '<p>served from a container</p>\n' },
  { name: 'srv/www/hard-link.html', type: 'link', linkname: 'srv/www/index.html' },
  { name: 'srv/www/sym-link.html', type: 'symlink', linkname: 'index.html' },
  { name: 'srv/mail.txt', mode: 0o640, uid: 8, gid: 8, content: 'owned by mail\n' },
  { name: 'srv/www/.wh.nothing', content: '' },
];
