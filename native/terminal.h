/* The caller's terminal: raw mode, size, job control. */
#ifndef TSMAN_TERMINAL_H
#define TSMAN_TERMINAL_H

#include <stdbool.h>
#include <sys/ioctl.h>

/* Put the terminal on `fd` in raw mode; does nothing when it is none. Called again
 * after a stop, when the shell has set its own modes. From the background this stops us (SIGTTOU) as it stops any program. */
void terminal_raw(int fd);
/* Give back the modes found by terminal_raw. Leaves a terminal alone that is not ours
 * now: its shell has set it for somebody else. */
void terminal_restore(void);
/* We are the terminal's foreground job. */
bool terminal_is_ours(int fd);
/* The size of the first terminal among stdin, stdout, stderr. */
bool terminal_size(struct winsize *size);
/* The character that ends input in line mode, for a pty by its master: a terminal
 * cannot be half closed. False when a program has it in raw mode, where the character
 * would be taken for typing. */
bool terminal_end_of_file(int master, char *character);

#endif
