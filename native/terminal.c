#include "terminal.h"

#include <termios.h>
#include <unistd.h>

static struct termios saved;
static int raw_fd = -1;

void terminal_raw(int fd)
{
	struct termios modes;

	if (raw_fd < 0 && tcgetattr(fd, &saved) < 0)
		return;
	modes = saved;
	cfmakeraw(&modes);
	if (tcsetattr(fd, TCSADRAIN, &modes) == 0)
		raw_fd = fd;
}

void terminal_restore(void)
{
	if (raw_fd >= 0 && terminal_is_ours(raw_fd))
		tcsetattr(raw_fd, TCSADRAIN, &saved);
	raw_fd = -1;
}

bool terminal_is_ours(int fd)
{
	pid_t group = tcgetpgrp(fd);

	/* Without job control (the terminal is not our controlling one) nobody else claims it. */
	return group < 0 || group == getpgrp();
}

bool terminal_size(struct winsize *size)
{
	for (int fd = 0; fd <= 2; fd++)
		if (ioctl(fd, TIOCGWINSZ, size) == 0)
			return true;
	return false;
}

bool terminal_end_of_file(int master, char *character)
{
	struct termios modes;

	if (tcgetattr(master, &modes) < 0 || !(modes.c_lflag & ICANON) ||
	    modes.c_cc[VEOF] == _POSIX_VDISABLE)
		return false;
	*character = (char)modes.c_cc[VEOF];
	return true;
}
