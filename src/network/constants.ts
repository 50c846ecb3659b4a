/** The interface of the up-link in the shared network namespace; native/firewall.h has it too. */
export const UPLINK = 'uplink';
