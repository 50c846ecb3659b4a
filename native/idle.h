/* Keeping a quiet monitor small. */
#ifndef TSMAN_IDLE_H
#define TSMAN_IDLE_H

#include <sys/epoll.h>

/* epoll_wait for a process that expects to sleep long: first gives back the pages of our
 * own program file. Start-up touched most of them, sleeping needs few. They stay in the
 * page cache and come back by minor faults. */
int idle_wait(int epoll, struct epoll_event *events, int count, int timeout);

#endif
