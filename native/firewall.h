/* The rules of the shared network namespace. */
#ifndef TSMAN_FIREWALL_H
#define TSMAN_FIREWALL_H

#define UPLINK "uplink" /* the interface that pasta makes there */
#define FORWARD_MARK 1
#define FORWARD_TABLE 100

/* Make all rules at once. Returns 0 or -1 with errno. */
int firewall_make(void);

#endif
