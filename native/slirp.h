/* The verb slirp: slirp4netns for one container, as its network process. */
#ifndef TSMAN_SLIRP_H
#define TSMAN_SLIRP_H

/* slirp PIDFILE NETNS USERNS SOCKET REQUESTS ARG...: words NULL-terminated. See networks.md. */
int slirp_main(char *const *words);

#endif
