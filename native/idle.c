/* Sleeping in little memory.
 *
 * The kernel maps a file's pages in large pieces around each fault, so that the few
 * instructions that sleep would keep hundreds of kilobytes of the program mapped. The
 * pages that hold them are therefore made private copies first (copied on a write that
 * changes nothing); everything else of the program is then given back. Where that is
 * forbidden (SELinux execmod) only memory is lost. */
#include "idle.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096u /* where pages are larger madvise refuses some ranges: again only memory */
#define SYSCALL_BYTES 128 /* more than the code of syscall(2)'s wrapper */

/* Put there by the linker: the program's first byte. */
extern const ElfW(Ehdr) __ehdr_start;

struct range {
	uintptr_t from, to;
};

/* A page of its own, so that it can be kept. It calls nothing but syscall(). */
__attribute__((noinline, aligned(4096))) static int
release_and_wait(const struct range *ranges, int range_count, int epoll, struct epoll_event *events,
		 int count, int timeout)
{
	for (int i = 0; i < range_count; i++)
		syscall(SYS_madvise, ranges[i].from, ranges[i].to - ranges[i].from, MADV_DONTNEED);
	return (int)syscall(SYS_epoll_pwait, epoll, events, count, timeout, NULL, 0);
}

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(PAGE - 1);
}

/* Make [from, from+PAGE) a private copy. */
static void copy_page(uintptr_t from)
{
	volatile char *byte = (volatile char *)from;

	/* Executable all the time: this very code may lie in the page. */
	if (mprotect((void *)from, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
		return;
	*byte = *byte;
	mprotect((void *)from, PAGE, PROT_READ | PROT_EXEC);
}

/* The parts of [from, to) outside the kept pages, which are in order. */
static int cut_out(struct range *ranges, uintptr_t from, uintptr_t to, const struct range *kept,
		   int kept_count)
{
	int count = 0;

	for (int i = 0; i < kept_count; i++) {
		if (kept[i].from < from || kept[i].to > to)
			continue;
		if (kept[i].from > from)
			ranges[count++] = (struct range){ from, kept[i].from };
		from = kept[i].to;
	}
	if (from < to)
		ranges[count++] = (struct range){ from, to };
	return count;
}

/* Everything of the program file that nobody can have written to. */
static int find_ranges(struct range ranges[12], const struct range *kept, int kept_count)
{
	uintptr_t start = (uintptr_t)&__ehdr_start;
	const ElfW(Phdr) *segments = (const void *)(start + __ehdr_start.e_phoff);
	uintptr_t base = start;
	int count = 0;

	/* Addresses in the file count from the first segment, wherever that was loaded. */
	for (int i = 0; i < __ehdr_start.e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
			base = start - segments[i].p_vaddr;
	for (int i = 0; i < __ehdr_start.e_phnum && count + kept_count < 12; i++) {
		uintptr_t from = base + segments[i].p_vaddr;
		uintptr_t to = page_of(from + segments[i].p_memsz + PAGE - 1);

		if (segments[i].p_type == PT_LOAD && !(segments[i].p_flags & PF_W))
			count += cut_out(ranges + count, page_of(from), to, kept, kept_count);
	}
	return count;
}

int idle_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
	static struct range ranges[12], kept[2];
	static int range_count;

	if (range_count == 0) {
		uintptr_t ours = page_of((uintptr_t)release_and_wait);
		uintptr_t wrapper = page_of((uintptr_t)syscall);
		uintptr_t wrapper_end = page_of((uintptr_t)syscall + SYSCALL_BYTES) + PAGE;
		bool first = ours < wrapper;

		for (uintptr_t page = wrapper; page < wrapper_end; page += PAGE)
			copy_page(page);
		copy_page(ours);
		kept[!first] = (struct range){ ours, ours + PAGE };
		kept[first] = (struct range){ wrapper, wrapper_end };
		range_count = find_ranges(ranges, kept, 2);
	}
	return release_and_wait(ranges, range_count, epoll, events, count, timeout);
}
