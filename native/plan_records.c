/* The table of records. README.md, "Settings" and "Steps", is its prose. */
#include "plan_records.h"

#include <string.h>

#include "numbers.h"

#define STEPS (PLAN_BOX | PLAN_EXEC | PLAN_UNSHARE)
#define KINDS "mount,pid,uts,ipc,net,cgroup,user"
#define BIND_FLAGS                                                                         \
	"ro,rec,nosuid,nodev,noexec,private,rprivate,slave,rslave,shared,rshared,unbindable," \
	"runbindable,file,nocreate,optional"
#define MOUNT_FLAGS                                                                        \
	"ro,nosuid,nodev,noexec,noatime,strictatime,relatime,nodiratime,sync,copy-up"
#define RLIMITS                                                                             \
	"as,core,cpu,data,fsize,locks,memlock,msgqueue,nice,nofile,nproc,rss,rtprio,rttime," \
	"sigpending,stack"

static const struct record_rule rules[] = {
	{ "id", PLAN_ALL, false, "s", NULL },
	{ "userns", PLAN_ALL, false, "w?p", "none,map" },
	{ "uid-map", PLAN_ALL, true, "nnn", NULL },
	{ "gid-map", PLAN_ALL, true, "nnn", NULL },
	{ "inner-uid-map", PLAN_BOX, true, "nnn", NULL },
	{ "inner-gid-map", PLAN_BOX, true, "nnn", NULL },
	{ "namespaces", PLAN_BOX | PLAN_UNSHARE, false, "k", KINDS },
	{ "join", PLAN_BOX | PLAN_UNSHARE, true, "wnN", KINDS },
	{ "join-path", PLAN_BOX, true, "wp", KINDS },
	{ "target", PLAN_EXEC, false, "nN", NULL },
	{ "cgroup", PLAN_BOX | PLAN_EXEC, true, "p", NULL },
	{ "preserve-fds", PLAN_BOX | PLAN_EXEC, false, "n", NULL },
	{ "run-dir", PLAN_BOX | PLAN_ATTACH | PLAN_NET, false, "p", NULL },
	{ "container-dir", PLAN_BOX, false, "p", NULL },
	{ "events", PLAN_BOX | PLAN_EXEC, false, "p", NULL },
	{ "exec-id", PLAN_EXEC, false, "b", NULL },
	{ "auto-remove", PLAN_BOX, false, "p", NULL },
	{ "auto-remove-volume", PLAN_BOX, true, "ppp", NULL },
	{ "log", PLAN_BOX, false, "wsNN", "k8s-file,json-file,journald,none" },
	{ "log-field", PLAN_BOX, true, "ps", NULL },
	{ "passthrough", PLAN_BOX, false, "", NULL },
	{ "terminal", PLAN_BOX | PLAN_EXEC, false, "nn", NULL },
	{ "stdin", PLAN_BOX | PLAN_EXEC, false, "w", "open" },
	{ "attach", PLAN_BOX | PLAN_EXEC | PLAN_ATTACH, false, "k", "stdin,stdout,stderr" },
	{ "detach-keys", PLAN_BOX | PLAN_EXEC | PLAN_ATTACH, false, "b", NULL },
	{ "sig-proxy", PLAN_BOX | PLAN_EXEC | PLAN_ATTACH, false, "", NULL },
	{ "detach", PLAN_EXEC, false, "", NULL },
	{ "announce", PLAN_BOX | PLAN_EXEC, false, "s", NULL },
	{ "pidfile", PLAN_BOX | PLAN_EXEC, true, "p", NULL },
	{ "monitor-pidfile", PLAN_BOX, true, "p", NULL },
	{ "report", PLAN_ALL, false, "n", NULL },
	{ "explain", PLAN_ALL, false, "p*", NULL },
	{ "afterwards", PLAN_BOX, false, "p*", NULL },
	{ "network-process", PLAN_BOX, false, "p+", NULL },
	{ "timeout", PLAN_BOX, false, "n", NULL },
	{ "stop", PLAN_BOX, false, "nn", NULL },
	{ "health", PLAN_BOX, false, "pnnnnn", NULL },
	{ "health-startup", PLAN_BOX, false, "pnnnn", NULL },
	{ "health-log", PLAN_BOX, false, "pnn", NULL },
	{ "health-on-failure", PLAN_BOX, false, "w", "kill,restart,stop" },
	{ "sdnotify", PLAN_BOX, false, "wp", "container,conmon,healthy" },
	{ "restart", PLAN_BOX, false, "wn", "always,on-failure" },
	{ "hosts", PLAN_NET, false, "ps", NULL },
	{ "net-dir", PLAN_NET, false, "p", NULL },
	{ "uplink", PLAN_NET, false, "p+", NULL },
	{ "network", PLAN_NET, true, "ppwnw", "internal,external,dns,no-dns" },
	{ "net-subnet", PLAN_NET, true, "psss?s", NULL },
	{ "net-interface", PLAN_NET, true, "ss", NULL },
	{ "net-name", PLAN_NET, true, "p", NULL },
	{ "net-upstream", PLAN_NET, true, "p", NULL },
	{ "net-route", PLAN_NET, true, "ppn", NULL },
	{ "publish", PLAN_NET, true, "wsnnn", "tcp,udp" },
	{ "detach-network", PLAN_NET, true, "p", NULL },
	{ "renew", PLAN_NET, false, "", NULL },
	{ "pin", PLAN_FS, false, "p", NULL },
	{ "pin-process", PLAN_FS, false, "nN?w", "cwd" },
	{ "personality", PLAN_BOX | PLAN_EXEC, false, "x", NULL },

	{ "rootfs-overlay", PLAN_BOX | PLAN_FS, false, "ssk+", "ro,volatile,data" },
	{ "rootfs-fuse", PLAN_BOX | PLAN_FS, false, "psss+", NULL },
	{ "rootfs-bind", PLAN_BOX | PLAN_FS, false, "pk", "ro" },
	{ "mount", PLAN_BOX | PLAN_FS, true, "sspks", MOUNT_FLAGS },
	{ "bind", PLAN_BOX | PLAN_FS, true, "ppk", BIND_FLAGS },
	{ "bind-below", PLAN_BOX | PLAN_FS, true, "pppk", BIND_FLAGS },
	{ "overlay", PLAN_BOX | PLAN_FS, true, "pssk+", "ro,volatile,data" },
	{ "overlay-below", PLAN_BOX | PLAN_FS, true, "ppssk+", "ro,volatile,data" },
	{ "copy-up", PLAN_BOX | PLAN_FS, true, "ppp?w", "owner" },
	{ "own-tree", PLAN_BOX, true, "p", NULL },
	{ "owner", PLAN_BOX, true, "pnn", NULL },
	{ "bind-inside", PLAN_BOX, true, "ppk", BIND_FLAGS },
	{ "devices", PLAN_BOX, false, "", NULL },
	{ "device", PLAN_BOX, true, "pp", NULL },
	{ "console", PLAN_BOX, false, "", NULL },
	{ "mkdir", PLAN_BOX | PLAN_EXEC, true, "po", NULL },
	{ "symlink", PLAN_BOX | PLAN_EXEC, true, "pp", NULL },
	{ "write", PLAN_BOX | PLAN_EXEC, true, "pos", NULL },
	{ "mask", PLAN_BOX, true, "p", NULL },
	{ "readonly", PLAN_BOX, true, "p", NULL },
	{ "sysctl", PLAN_BOX, true, "ps", NULL },
	{ "hostname", PLAN_BOX, false, "s", NULL },
	{ "domainname", PLAN_BOX, false, "s", NULL },
	{ "loopback", PLAN_BOX, false, "", NULL },
	{ "bundle-root", PLAN_BOX, false, "p", NULL },
	{ "hook", PLAN_BOX, true, "snnp+", NULL },
	{ "pivot", PLAN_BOX, false, "?w", "ro" },
	{ "rlimit", STEPS, true, "wll", RLIMITS },
	{ "oom-score-adj", STEPS, false, "i", NULL },
	{ "umask", STEPS, false, "o", NULL },
	{ "env", STEPS, true, "e", NULL },
	{ "default-env", STEPS, true, "ps", NULL },
	{ "user", STEPS, false, "s", NULL },
	{ "groups", STEPS, false, "+", NULL },
	{ "keep-groups", STEPS, false, "", NULL },
	{ "capabilities", STEPS, false, "xxxx", NULL },
	{ "no-new-privileges", STEPS, false, "", NULL },
	{ "seccomp", STEPS, false, "p", NULL },
	{ "cwd", STEPS, false, "p?k", "create" },
	{ "exec", STEPS, false, "+", NULL },
};

const struct record_rule *plan_rule(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

static bool words_have(const char *words, const char *word, size_t length)
{
	for (const char *at = words;; at++) {
		size_t span = strcspn(at, ",");

		if (span == length && memcmp(at, word, length) == 0)
			return true;
		at += span;
		if (*at == '\0')
			return false;
	}
}

bool plan_list_has(const char *list, const char *word)
{
	return words_have(list, word, strlen(word));
}

static bool is_word_list(const char *text, const char *words)
{
	if (*text == '\0')
		return true;
	for (;; text++) {
		size_t span = strcspn(text, ",");

		if (span == 0 || !words_have(words, text, span))
			return false;
		text += span;
		if (*text == '\0')
			return true;
	}
}

static bool is_hex_bytes(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length % 2 == 0 && strspn(text, "0123456789abcdefABCDEF") == length;
}

static bool argument_matches(char kind, const char *text, const char *words)
{
	uint64_t number;
	int small;

	switch (kind) {
	case 's': return true;
	case 'p': return *text != '\0';
	case 'n': return number_parse(text, 10, UINT32_MAX, &number);
	case 'N': return number_parse(text, 10, UINT64_MAX, &number);
	case 'i': return number_parse_signed(text, INT32_MAX, &small);
	case 'x': return number_parse(text, 16, UINT64_MAX, &number);
	case 'o': return number_parse(text, 8, 07777, &number);
	case 'b': return is_hex_bytes(text);
	case 'l': return strcmp(text, "unlimited") == 0 ||
			 number_parse(text, 10, UINT64_MAX, &number);
	/* An image's `Env` without "=" once copied the host's variable (CVE-2026-57231). */
	case 'e': return strchr(text, '=') > text;
	case 'w': return *text != '\0' && words_have(words, text, strlen(text));
	case 'k': return is_word_list(text, words);
	default: return false;
	}
}

bool plan_arguments_match(const struct record_rule *rule, const struct record *record)
{
	bool optional = false;
	size_t used = 0;

	for (const char *kind = rule->arguments; *kind != '\0'; kind++) {
		if (*kind == '*')
			return true;
		if (*kind == '+')
			return record->argc > used;
		if (*kind == '?') {
			optional = true;
			continue;
		}
		if (used == record->argc)
			return optional;
		if (!argument_matches(*kind, record->argv[used], rule->words))
			return false;
		used++;
	}
	return used == record->argc;
}
