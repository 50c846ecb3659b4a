#include "notify.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "text.h"

/* A service manager that does not listen is no reason to end a container. */
static void notify(const char *path, const struct text *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	int fd;

	if (length == 0 || length >= sizeof address.sun_path)
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@') /* the abstract name space */
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text->bytes, text->length, MSG_NOSIGNAL,
		     (const struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

void notify_running(const struct plan *plan)
{
	const struct record *record = plan_find(plan, "sdnotify");
	struct text text = { .length = 0 };

	if (record == NULL)
		return;
	text_add(&text, "MAINPID=");
	text_add_number(&text, (uint64_t)getpid());
	if (strcmp(record->argv[0], "conmon") == 0)
		text_add(&text, "\nREADY=1");
	notify(record->argv[1], &text);
}

void notify_healthy(const struct plan *plan)
{
	const struct record *record = plan_find(plan, "sdnotify");
	struct text text = { .length = 0 };

	if (record == NULL || strcmp(record->argv[0], "healthy") != 0)
		return;
	text_add(&text, "READY=1");
	notify(record->argv[1], &text);
}
