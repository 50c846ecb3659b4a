/** `private` is a pasta of its own (`--network pasta`); `container:` shares another container's. */
export type NetworkMode =
  | 'private'
  | 'host'
  | 'none'
  /** The default network and those made by `network create`, named in the record's `networks`. */
  | 'bridge'
  | `container:${string}`
  | `ns:${string}`
  | `pasta:${string}`
  | 'slirp4netns'
  | `slirp4netns:${string}`;
