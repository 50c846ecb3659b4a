/** What keys of containers.conf decide that are no option's value as they are. */
export const KEY_WORDS: Readonly<Record<string, string>> = {
  'containers.default_capabilities':
    'the capabilities that containers have; --cap-add and --cap-drop change them',
  'containers.env': "environment variables, below the image's own",
  'containers.init_path': 'the program that --init runs',
  'containers.label': 'false is --security-opt label=disable',
  'containers.log_size_max': '--log-opt max-size; nothing or less: no limit',
  'containers.log_tag': '--log-opt tag',
  'containers.netns': 'the default of --network: private, host, none, pasta, or a network',
  'containers.pids_limit': 'the default of --pids-limit, where the controller is delegated to you',
  'containers.seccomp_profile': '--security-opt seccomp, a file or unconfined',
  'containers.userns': 'the default of --userns',
  'engine.cdi_spec_dirs': 'where files of CDI devices lie; tsman --cdi-spec-dir wins',
  'engine.env': 'variables for tsman itself, e.g. https_proxy; those of the environment win',
  'engine.image_parallel_copies': 'so many layers are copied at a time',
  'network.default_host_ips': 'where -p publishes a port when it names no address',
  'network.default_rootless_network_cmd':
    'slirp4netns: containers have one each instead of the default network; pasta: no change',
  'network.pasta_options': 'options of pasta, where a container has a network of its own',
};

/** The files of users and of the system, in the order of docs/configuration.md. */
export const CONF_FILES: readonly (readonly [file: string, what: string])[] = [
  [
    'containers.conf',
    'defaults of the options of run, create, exec, start, attach, pull, push, commit',
  ],
  [
    'storage.conf',
    'where images and containers lie, and how the root of a container is put together',
  ],
  [
    'registries.conf, registries.conf.d/*.conf',
    'short names, mirrors, blocked and insecure registries',
  ],
  ['policy.json', 'which images may be pulled, and which signatures they need'],
  [
    'mounts.conf',
    'directories of the host that every new container gets: HOST-DIR[:CONTAINER-DIR] in a line',
  ],
  ['certs.d/HOST[:PORT]/', 'certificates of registries (*.crt) and for them (*.cert, *.key)'],
];

/** Keys of storage.conf that apply. */
export const STORAGE_KEYS: readonly (readonly [key: string, what: string])[] = [
  [
    'storage.graphroot',
    "images and containers are in the directory tsman below it; of the user's own file, or root's",
  ],
  ['storage.runroot', 'the same for what runs'],
  [
    'storage.rootless_storage_path',
    'graphroot for everybody but root; $HOME, $UID and $USER are replaced',
  ],
  ['storage.driver', 'overlay, fuse-overlayfs or vfs; without it, the first of these that works'],
  [
    'storage.options.overlay.mount_program',
    'a path that ends in fuse-overlayfs makes that the driver',
  ],
  [
    'storage.options.overlay.userns',
    'auto, native or fuse-overlayfs: roots of containers with a user namespace of their own, see --storage-opt',
  ],
];

/** Variables of the environment; test/docs.test.ts holds them against the source. */
export const VARIABLES: readonly (readonly [names: string, what: string])[] = [
  ['TSMAN_ROOT, TSMAN_RUNROOT', 'as --root and --runroot'],
  ['TSMAN_DEBUG', 'with any value: failures come with a stack trace'],
  ['TSMAN_STORAGE_DRIVER, STORAGE_DRIVER', 'as --storage-driver; the second is shared with Podman'],
  ['STORAGE_OPTS', 'as --storage-opt, with commas between'],
  ['TSMAN_HELPER, TSMAN_SHARE', 'where tsman-helper and the directory share are, for tests'],
  ['CONTAINERS_CONF', 'this file stands for containers.conf and its drop-ins'],
  ['CONTAINERS_CONF_OVERRIDE', 'this file comes on top of them and of --module'],
  ['CONTAINERS_STORAGE_CONF', 'this file stands for storage.conf and its drop-ins'],
  ['CONTAINERS_REGISTRIES_CONF', 'this file stands for registries.conf'],
  ['REGISTRY_AUTH_FILE', 'the auth.json for credentials'],
  ['DOCKER_CONFIG', 'the directory of config.json, as --config'],
  ['DOCKER_AUTH_CONFIG', 'credentials themselves, as the text of a config.json'],
  [
    'XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR, XDG_CACHE_HOME',
    'instead of ~/.config, ~/.local/share, /run/user/UID and ~/.cache',
  ],
  [
    'HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY',
    'for registries and, unless --http-proxy=false, in containers; small letters as well',
  ],
  ['SSL_CERT_FILE', "certificates of authorities, instead of the distribution's"],
  ['NOTIFY_SOCKET', 'where systemd is told, see --sdnotify'],
];
