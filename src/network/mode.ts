/** `private` is the default network with a stack of its own; `container:` shares another container's. */
export type NetworkMode =
  | 'private'
  | 'host'
  | 'none'
  | `container:${string}`
  | `ns:${string}`
  | `pasta:${string}`;
