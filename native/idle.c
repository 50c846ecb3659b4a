/* Sleeping in little memory.
 *
 * Start-up touched most of the program; sleeping needs a few instructions of it. What is
 * mapped of the program file is given back before a long sleep. The kernel maps it again
 * in pieces of 64 KiB around each fault, so this file's code makes its system calls by
 * itself: one piece, instead of one more for the C library's wrappers. */
#include "idle.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEGMENTS 8

/* Put there by the linker: the program's first byte. */
extern const ElfW(Ehdr) __ehdr_start;

struct range {
	uintptr_t from, size;
};

/* Everything of the program file that nobody can have written to. */
static int find_ranges(struct range ranges[SEGMENTS])
{
	uintptr_t start = (uintptr_t)&__ehdr_start;
	uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	const ElfW(Phdr) *segments = (const void *)(start + __ehdr_start.e_phoff);
	uintptr_t base = start;
	int count = 0;

	/* Addresses in the file count from the first segment, wherever that was loaded. */
	for (int i = 0; i < __ehdr_start.e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
			base = start - segments[i].p_vaddr;
	for (int i = 0; i < __ehdr_start.e_phnum && count < SEGMENTS; i++) {
		uintptr_t from = (base + segments[i].p_vaddr) & ~mask;
		uintptr_t to = (base + segments[i].p_vaddr + segments[i].p_memsz + mask) & ~mask;

		if (segments[i].p_type == PT_LOAD && !(segments[i].p_flags & PF_W))
			ranges[count++] = (struct range){ from, to - from };
	}
	return count;
}

#if defined(__x86_64__)
static inline long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = 0;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#else
static inline long call(long number, long a, long b, long c, long d)
{
	return syscall(number, a, b, c, d, 0L);
}
#endif

int idle_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
	static struct range ranges[SEGMENTS];
	static int range_count;
	long result;

	if (range_count == 0)
		range_count = find_ranges(ranges);
	for (int i = 0; i < range_count; i++)
		call(SYS_madvise, (long)ranges[i].from, (long)ranges[i].size, MADV_DONTNEED, 0);
	/* Only a hint of what happened: the caller asks epoll again after an error. */
	result = call(SYS_epoll_pwait, epoll, (long)events, count, timeout);
	return result < 0 ? 0 : (int)result;
}
