/* The init of --init. See init.c. */
#ifndef TSMAN_INIT_H
#define TSMAN_INIT_H

/* argv as after the verb: [-s] -- CMD... with argv[0] the verb itself. Returns the exit status. */
int init_main(int argc, char **argv);

#endif
