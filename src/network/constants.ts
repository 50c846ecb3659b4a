/** The interface of the up-link in the shared network namespace; native/firewall.h has it too. */
export const UPLINK = 'uplink';
/** What containers are on without --network; Docker calls it `bridge`. */
export const DEFAULT_NETWORK_NAME = 'podman';
