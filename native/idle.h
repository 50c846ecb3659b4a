/* Keeping a quiet monitor small. */
#ifndef TSMAN_IDLE_H
#define TSMAN_IDLE_H

/* Give back the pages of our own program file that are mapped: start-up touched most of
 * them, the loop needs few. They stay in the page cache and come back by minor faults. */
void idle_release_program(void);

#endif
