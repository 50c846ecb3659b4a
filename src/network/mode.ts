/** `private` is the default network with a stack of its own; `container:` shares another container's. */
export type NetworkMode =
  | 'private'
  | 'host'
  | 'none'
  /** Networks made by `network create`, named in the record's `networks`. */
  | 'bridge'
  | `container:${string}`
  | `ns:${string}`
  | `pasta:${string}`;
