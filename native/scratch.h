/* One page-aligned buffer that every part of the monitor may use within a single
 * event and that holds nothing between two: the log's batch of lines, a client's
 * input on its way to the container, directory entries. The monitor gives its
 * pages back when it falls idle, so a quiet container costs none of them. */
#ifndef TSMAN_SCRATCH_H
#define TSMAN_SCRATCH_H

/* A chunk of output with the frames of its lines, as a rule: one write to the log. */
#define SCRATCH_SIZE 327680

extern char scratch[SCRATCH_SIZE];

#endif
